"""Records of Python's worker from earlier runs; they hold as long as nothing they depend on changed."""

import hashlib
import json
import platform
import shutil
from pathlib import Path

from .side import Outcome

# These decide how records are judged, not what is in them.
JUDGES = {"compare.py", "report.py", "cache.py", "selftest.py", "run.py"}


class Cache:
    """Outcomes by scenario name, below one directory."""

    def __init__(self, directory, here):
        self.directory = Path(directory) / fingerprint(here)
        if not self.directory.exists():
            shutil.rmtree(directory, ignore_errors=True)
            self.directory.mkdir(parents=True)

    def get(self, scenario):
        """The stored outcome, or None."""
        try:
            stored = json.loads((self.directory / f"{scenario.name}.json").read_text())
        except FileNotFoundError:
            return None
        return Outcome(items=stored["items"], seconds=stored["seconds"])

    def put(self, scenario, outcome):
        """Stores an outcome without problems."""
        if not outcome.problems:
            text = json.dumps({"items": outcome.items, "seconds": outcome.seconds}, indent=1)
            (self.directory / f"{scenario.name}.json").write_text(text)


def fingerprint(here):
    """Changes with every file that decides what is recorded, and with Python itself."""
    digest = hashlib.sha256(platform.python_version().encode())
    files = [here / "requirements.txt", here / "master.cfg", here / "steps.py"]
    files += sorted((here / "harness").glob("*.py")) + sorted((here / "scenarios").glob("*.py"))
    for file in files:
        if file.name not in JUDGES:
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
