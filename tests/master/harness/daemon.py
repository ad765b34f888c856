"""A program in a process group of its own, and the search for what it left behind."""

import os
import signal
import subprocess
from pathlib import Path

from .errors import Trouble
from .waiting import wait_for


class Daemon:
    """A running program whose output goes to the end of a file."""

    def __init__(self, argv, cwd, env, output, **popen):
        self.name = Path(argv[0]).name
        with open(output, "ab") as sink:
            self.process = subprocess.Popen(
                [str(word) for word in argv],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **popen,
            )

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        """Signals the program itself, not its group."""
        if self.alive():
            self.process.send_signal(number)

    def ended(self, seconds):
        """Waits for the end of the program; its exit status, negative for a signal."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Trouble(f"{self.name} did not end within {seconds:g} s") from None

    def stop(self, seconds=20):
        """Asks the program to end, and ends its whole group whatever happens."""
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def kill(self):
        """Kills the whole group at once."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def marked_processes(mark):
    """The ids of all processes whose environment holds the entry `mark`."""
    wanted = mark.encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue  # ended meanwhile, or not ours to look at
        if wanted in environment.split(b"\0"):
            found.append(int(entry.name))
    return found


def kill_marked(mark):
    """Kills every process that carries `mark`, and waits until none is left."""

    def none_left():
        left = marked_processes(mark)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left

    wait_for("the end of what a worker left behind", none_left, 10)
