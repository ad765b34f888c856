"""What one run of the harness needs to know: places, programs, and that it is the only one."""

import contextlib
import fcntl
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import people
from .combination import DEFAULT, Combination
from .errors import Trouble

HERE = Path(__file__).resolve().parent.parent  # tests/master
TARGET = HERE.parent.parent / "target"
LOGS = TARGET / "master-logs"

# Run as a text, because the script in the virtual environment may lie where its user cannot go.
PYTHON_WORKER = "from buildbot_worker.scripts.runner import run; run()"


@dataclass
class Scene:
    """The places and programs of one side."""

    program: list  # the worker's command, without subcommand
    venv: Path  # of Python's worker
    master_venv: Path
    combination: Combination
    root: Path  # made for this side, not there yet; goes away at the end
    logs: Path  # where logs are kept


def add_worker_option(parser):
    parser.add_argument(
        "--worker", type=Path, default=TARGET / "release/coracle", help="our program"
    )


def master_environment(version):
    """The virtual environment of a master; made if it is not there."""
    made = subprocess.run([HERE / "setup.sh", version], stdout=subprocess.PIPE, text=True)
    if made.returncode != 0:
        raise Trouble(f"there is no environment for a master {version}; see above")
    return Path(made.stdout.strip())


def present(worker):
    """Our worker's path; Trouble if there is no such file."""
    if not worker.exists():
        raise Trouble(f"there is no worker {worker}; build it, or name one with --worker")
    return worker


@contextlib.contextmanager
def scene_of_one_side(word, purpose, worker, combination=DEFAULT):
    """A Scene for `theirs` or `ours`; its root is removed afterwards."""
    master_venv = master_environment(combination.master)
    logs = LOGS / purpose / word
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    venv = Path(sys.prefix)
    parent = Path(tempfile.mkdtemp(prefix="coracle-"))
    parent.chmod(0o755)
    try:
        if word == "theirs":
            python = people.within_reach(venv, parent) / "bin/python"
            program = [python, "-c", PYTHON_WORKER]
        else:
            program = [people.within_reach(present(worker).resolve(), parent)]
        yield Scene(program, venv, master_venv, combination, parent / "run", logs)
    finally:
        # Some scenarios leave directories that nobody may enter.
        subprocess.run(["chmod", "-R", "u+rwX", parent], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(parent, ignore_errors=True)


def copy(source, target):
    """Copies a tree with the modes that it has."""
    shutil.copytree(source, target, symlinks=True)


def run_alone(main):
    """Runs `main` and exits with what it returns; a second run waits for the first."""
    TARGET.mkdir(exist_ok=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        # As an exception, so that masters and workers are ended on the way out.
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    with open(TARGET / "master.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            sys.exit(main())
        except Trouble as trouble:
            sys.exit(f"master tests: {trouble}")
