"""A base directory with a worker that lives and dies as a user makes it."""

import os
import re
import signal
import subprocess
import time

from harness.daemon import kill_marked, marked_processes
from harness.errors import Trouble
from harness.stage import alive
from harness.waiting import wait_for

SUCCESS = 0


def check(condition, what):
    """Trouble unless `condition` holds."""
    if not condition:
        raise Trouble(what)


class Boat:
    """One worker of the master `master`. Its HOME is the mark by which its processes are found."""

    def __init__(self, scene, master, name, *options, port=None, host="127.0.0.1", directory="worker",
                 password="secret", create=None):
        self.master = master
        self.name = name
        self.program = scene.program
        self.home = scene.root / name
        self.home.mkdir(exist_ok=True)
        self.directory = self.home / directory
        self.mark = f"HOME={self.home}"
        self.env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
        }
        self.since = {}
        done = self.run("create-worker", *options, self.directory, f"{host}:{port or master.port}",
                        name, password, program=create)
        check(done.returncode == 0, f"create-worker: {done.stdout}{done.stderr}")

    def run(self, *words, program=None, timeout=60):
        """Runs a command of the program to its end; the result has the time as `seconds`."""
        argv = [str(word) for word in [*(program or self.program), *words]]
        began = time.monotonic()
        try:
            done = subprocess.run(argv, env=self.env, cwd="/", capture_output=True, text=True,
                                  timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Trouble(f"`{' '.join(argv[1:])}` took more than {timeout} s") from None
        done.seconds = time.monotonic() - began
        return done

    def popen(self, *words, **popen):
        """Starts a command of the program."""
        argv = [str(word) for word in [*self.program, *words, self.directory]]
        return subprocess.Popen(argv, env=self.env, cwd="/", stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **popen)

    def do(self, command, *words, code=0, says="", **arguments):
        """Runs a command in the directory and checks its exit status and a pattern of its text."""
        done = self.run(command, *words, self.directory, **arguments)
        text = done.stdout + done.stderr
        check(done.returncode == code, f"`{command}` ended with {done.returncode}, not {code}: {text}")
        check(re.search(says, text), f"`{command}` did not say {says!r} but: {text}")
        done.text = text
        return done

    def start(self, command="start"):
        """Starts the worker; the milliseconds to the attachment that it tells."""
        done = self.do(command, says=r"attached to the master at .* in \d+ ms, process \d+")
        return int(re.search(r" in (\d+) ms", done.text)[1])

    def pid(self):
        return int((self.directory / "twistd.pid").read_text())

    def processes(self):
        """All that belongs to the worker: itself, its steps, and what they started."""
        return [pid for pid in marked_processes(self.mark) if alive(pid)]

    def nothing_left(self, seconds=5):
        """Waits until no process is left; the seconds that took."""
        began = time.monotonic()
        wait_for("the end of all processes of the worker", lambda: not self.processes(), seconds)
        return time.monotonic() - began

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid(), number)

    def log(self):
        return (self.directory / "twistd.log").read_text(errors="replace")

    def attached(self, seconds=30):
        """Waits until the master has attached the worker; the seconds that took."""
        began = time.monotonic()
        wait_for(f"{self.name} attached", lambda: self.master.connected(self.name), seconds)
        return time.monotonic() - began

    def detached(self, seconds=30):
        wait_for(f"{self.name} gone", lambda: not self.master.connected(self.name), seconds)

    def place(self, kind):
        """The directory that the steps of a builder run in."""
        return self.directory / f"{self.name}-{kind}" / "build"

    def force(self, kind):
        """Asks for a build; the id of the request."""
        builder = self.master.builder_id(f"{self.name}-{kind}")
        params = {"builderid": builder, "reason": "a test"}
        _, requests = self.master.rest.call("forceschedulers/force", "force", **params)
        return requests[str(builder)]

    def begin(self, kind):
        """Asks for a build and waits until its step runs; the id of the request."""
        started = self.place(kind) / "started"
        started.unlink(missing_ok=True)
        request = self.force(kind)
        wait_for(f"the step of {kind}", started.exists, 30)
        return request

    def green(self, request, seconds=60):
        """Waits for the end of the request, which must be green; the number of builds it took."""
        rest = self.master.rest
        wait_for("the end of a build", lambda: rest.row(f"buildrequests/{request}")["complete"], seconds)
        results = rest.row(f"buildrequests/{request}")["results"]
        check(results == SUCCESS, f"the build ended with results {results}")
        return len(rest.rows(f"buildrequests/{request}/builds"))

    def build_green(self, seconds=60):
        """A new build, which must be green."""
        self.green(self.force("quick"), seconds)

    def end(self):
        """Whatever happened: nothing of the worker is left."""
        kill_marked(self.mark)
