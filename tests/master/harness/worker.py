"""Python's worker ("theirs") or the built binary ("ours") in a base directory."""

import subprocess

from .daemon import Daemon
from .errors import Trouble

STOP_SECONDS = 15


class Worker:
    """One worker. Both sides get a base directory made by Python's `create-worker`."""

    def __init__(self, program, venv, directory, master, name, env, options=(), **popen):
        self.program = program
        self.directory = directory
        self.name = name
        self.env = env
        self.output = directory.parent / f"{directory.name}.log"
        self.popen = popen
        self.daemon = None
        self._create(venv, master, options)

    def _create(self, venv, master, options):
        options = [*master.transport.worker_options(master.port), *options]
        argv = [venv / "bin/buildbot-worker", "create-worker", *options]
        argv += [self.directory, f"127.0.0.1:{master.port}", self.name, "secret"]
        made = subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=60)
        if made.returncode != 0:
            raise Trouble(f"create-worker: {made.stdout}{made.stderr}")
        info = self.directory / "info"
        (info / "admin").write_text("A Tester <tester@example.org>\n")
        (info / "host").write_text("a machine for tests\nwith two lines\n")

    def start(self):
        """Starts the worker; that it has attached is seen at the master."""
        argv = [*self.program, "start", "--nodaemon", self.directory]
        self.daemon = Daemon(argv, self.directory, self.env, self.output, **self.popen)

    def stop(self):
        """Ends the worker, if it runs."""
        if self.daemon is not None:
            self.daemon.stop(STOP_SECONDS)

    def log(self):
        """What the worker wrote so far."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""
