"""Shows that the comparison finds what is different, with stand-ins for our worker.

Called by `ci/master.sh selftest`.
"""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUN = HERE.parent / "run.py"
sys.path.insert(0, str(HERE.parent))

from harness import people  # noqa: E402

SCENARIOS = ["success", "exit-statuses", "file-upload-limited", "texts"]

STALE = """
[[difference]]
scenario = "texts"
item = "pipe/log:stdio"
reason = "nothing is different there"
ours = ["onever"]
"""

CHOSEN = r"""
[[difference]]
scenario = "success"
item = "hello/log:stdio"
reason = "the stand-in shouts"
theirs = ["ohello"]
ours = ["ohellO"]

[[difference]]
scenario = "exit-statuses"
item = ["status 3/log:stdio", "three is fine/*"]
reason = "the stand-in counts badly"
theirs = ['hprogram finished with exit code 3', "SUCCESS", "'exit 3'"]
ours = ['hprogram finished with exit code 4', "FAILURE", '.exit 3. \(failure\)']
"""


LIMITS = """
[[fails]]
scenario = "texts"
whose = "master"
reason = "nothing fails there"
problems = ["never"]

[[cannot]]
scenario = "success"
reason = "as if it could not"
"""


@dataclass
class Case:
    """A stand-in, lists of differences and limits, and the word that each scenario must get."""

    says: str
    worker: str
    differences: str
    words: dict
    status: int
    limits: str = ""


CASES = [
    Case("Python's worker is as Python's worker", "same.py", "", dict.fromkeys(SCENARIOS, "ok"), 0),
    Case(
        "lies about status, output and files are found",
        "liar.py",
        "",
        {
            "success": "FAILED",
            "exit-statuses": "FAILED",
            "file-upload-limited": "FAILED",
            "texts": "ok",
        },
        1,
    ),
    Case(
        "a listed difference that is not there is an error",
        "same.py",
        STALE,
        {"success": "ok", "exit-statuses": "ok", "file-upload-limited": "ok", "texts": "FAILED"},
        1,
    ),
    Case(
        "listed differences are accepted, and only those",
        "liar.py",
        CHOSEN,
        {
            "success": "different",
            "exit-statuses": "different",
            "file-upload-limited": "FAILED",
            "texts": "ok",
        },
        1,
    ),
    Case(
        "a listed failure that is not there is an error, and what cannot be does not run",
        "same.py",
        "",
        {"success": "-", "exit-statuses": "ok", "file-upload-limited": "ok", "texts": "FAILED"},
        1,
        LIMITS,
    ),
    Case(
        "a worker that does not start fails everything",
        "absent.py",
        "",
        dict.fromkeys(SCENARIOS, "FAILED"),
        1,
    ),
]


def run(case, directory):
    """The exit status and output of the harness with the case's stand-in."""
    worker = directory / "worker"
    script = HERE / case.worker
    text = script.read_text() if script.exists() else "raise SystemExit('not today')\n"
    code = directory / "worker.py"
    code.write_text(text)
    code.chmod(0o644)
    python = people.within_reach(Path(sys.prefix), directory) / "bin/python"
    worker.write_text(f'#!/bin/sh\nexec "{python}" "{code}" "$@"\n')
    worker.chmod(0o755)
    differences = directory / "differences.toml"
    differences.write_text(case.differences)
    limits = directory / "limits.toml"
    limits.write_text(case.limits)
    argv = [sys.executable, RUN, "--worker", worker]
    argv += ["--differences", differences, "--limits", limits, *SCENARIOS]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout + done.stderr


def check(case, directory):
    """Runs a case; the sentences that are not true of it."""
    status, output = run(case, directory)
    problems = []
    if status != case.status:
        problems.append(f"exit status {status}, not {case.status}")
    for scenario, word in case.words.items():
        if not re.search(rf"^{word} +{scenario} ", output, re.MULTILINE):
            problems.append(f"{scenario} is not called {word}")
    return [*problems, output] if problems else []


def main():
    with tempfile.TemporaryDirectory(prefix="coracle-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        return run_all(directory)


def run_all(directory):
    failed = 0
    for case in CASES:
        problems = check(case, directory)
        failed += bool(problems)
        print("FAILED" if problems else "ok    ", case.says, flush=True)
        for problem in problems:
            print(f"  {problem}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
