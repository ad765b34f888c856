"""Records from earlier runs; they hold as long as nothing they depend on changed."""

import hashlib
import inspect
import json
import platform
from pathlib import Path

from .settings import HERE
from .side import Outcome

# These say nothing, or decide how records are judged, not what is in them.
JUDGES = {
    "__init__.py",
    "cache.py",
    "compare.py",
    "limits.py",
    "match.py",
    "report.py",
}


class Cache:
    """Outcomes of one side by scenario name, below one directory.

    `depends` are files that decide too what is recorded.
    """

    def __init__(self, directory, *depends):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        files = [HERE / "master.cfg", HERE / "steps.py", *sorted((HERE / "harness").glob("*.py"))]
        self.common = hashlib.sha256(platform.python_version().encode())
        for file in [*files, *depends]:
            if file.name not in JUDGES:
                add_file(self.common, file)

    def get(self, scenario):
        """The stored outcome, or None."""
        try:
            stored = json.loads(self._file(scenario).read_text())
        except FileNotFoundError:
            return None
        if stored.pop("fingerprint") != self._fingerprint(scenario):
            return None
        return Outcome(**stored)

    def put(self, scenario, outcome):
        """Stores an outcome that was found to be as it must be."""
        stored = {"fingerprint": self._fingerprint(scenario), **vars(outcome)}
        self._file(scenario).write_text(json.dumps(stored, indent=1))

    def _file(self, scenario):
        return self.directory / f"{scenario.name}.json"

    def _fingerprint(self, scenario):
        digest = self.common.copy()
        add_file(digest, Path(inspect.getsourcefile(scenario.steps)))
        return digest.hexdigest()[:16]


def add_file(digest, file):
    """Makes the digest depend on a file's name and content."""
    digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
