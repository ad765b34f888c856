"""A Buildbot master in a directory: start, restart, kill, reconfigure."""

import json
import re
import shutil
import signal
import subprocess

from .daemon import Daemon
from .errors import Trouble
from .ports import free_ports
from .rest import Rest
from .transport import PLAIN
from .waiting import wait_for

START_SECONDS = 90
STOP_SECONDS = 30

# Run as a text, because a master of Debian's has no script in the virtual environment.
BUILDBOT = "from buildbot.scripts.runner import run; run()"


class Master:
    """One master. `scene` is the dictionary that its configuration file reads from scene.json.

    `venv` is the virtual environment that it runs in; workers reach it by `transport`.
    """

    def __init__(self, venv, directory, config, scene, env, transport=PLAIN):
        self.program = [venv / "bin/python", "-c", BUILDBOT]
        self.directory = directory
        self.scene = dict(scene)
        self.env = env
        self.transport = transport
        self.daemon = None
        self.relay = None
        self.output = directory / "twistd.log"
        self._create(config)

    def _create(self, config):
        argv = [*self.program, "create-master", "--no-logrotate", self.directory]
        made = subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=120)
        if made.returncode != 0:
            raise Trouble(f"create-master: {made.stdout}{made.stderr}")
        shutil.copy(config, self.directory / "master.cfg")
        self._choose_ports()

    def _choose_ports(self):
        port, inner_port, self.scene["www"] = free_ports(3)
        self.scene["port"] = port
        self.scene["protocols"] = self.transport.protocols(port, inner_port)
        self.relay_argv = self.transport.relay(port, inner_port)
        self.rest = Rest(self.scene["www"])
        self.write_scene()

    def write_scene(self, **changes):
        """Writes scene.json, after `changes` to it."""
        self.scene.update(changes)
        (self.directory / "scene.json").write_text(json.dumps(self.scene, indent=1))

    @property
    def port(self):
        """The TCP port that workers connect to."""
        return self.scene["port"]

    def start(self):
        """Starts the master and waits until its REST interface answers."""
        if self.relay_argv and self.relay is None:
            self.relay = Daemon(self.relay_argv, self.directory, self.env, self.output)
        argv = [*self.program, "start", "--nodaemon", self.directory]
        self.daemon = Daemon(argv, self.directory, self.env, self.output)
        wait_for("the start of the master", self._started_or_failed, START_SECONDS)
        if not self.daemon.alive():
            raise Trouble(f"the master ended while starting:\n{self.log()[-2000:]}")

    def _started_or_failed(self):
        return not self.daemon.alive() or self.rest.answers()

    def restart(self, kill=False):
        """Ends the master (with SIGKILL if `kill`) and starts it again on the same ports."""
        if kill:
            self.daemon.kill()
        else:
            self.stop()
        # An unclean end leaves this file, which would keep the next start from happening.
        (self.directory / "twistd.pid").unlink(missing_ok=True)
        self.start()

    def reconfigure(self, **changes):
        """Changes the scene and makes the master read its configuration again."""
        before = self._reconfigurations()
        self.write_scene(**changes)
        self.daemon.signal(signal.SIGHUP)
        wait_for("the reconfiguration", lambda: self._reconfigurations() > before, 30)

    def _reconfigurations(self):
        return len(re.findall(r"configuration update complete", self.log()))

    def log(self):
        """The master's own log so far."""
        return self.output.read_text(errors="replace")

    def stop(self):
        """Ends the master, if it runs."""
        if self.daemon is not None:
            self.daemon.stop(STOP_SECONDS)
        if self.relay is not None:
            self.relay.stop()
            self.relay = None

    def builder_id(self, name):
        """The id of the builder called `name`."""
        rows = self.rest.rows("builders", name=name)
        if not rows:
            raise Trouble(f"the master has no builder {name!r}")
        return rows[0]["builderid"]

    def connected(self, worker):
        """Whether a worker of that name is attached."""
        return bool(self.rest.rows("workers", name=worker)[0]["connected_to"])
