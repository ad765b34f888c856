"""The two workers, each in a base directory of its own, and the programs around them."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from harness.errors import Trouble

HERE = Path(__file__).resolve().parent
PYTHON_WORKER = "from buildbot_worker.scripts.runner import run; run()"
NAMES = ("theirs", "ours")


class Worker:
    """A running worker."""

    def __init__(self, program, base, port, environment):
        self.base = base
        created = [*program, "create-worker", "--keepalive=3600", str(base)]
        created += [f"127.0.0.1:{port}", "boat", "secret"]
        subprocess.run(created, check=True, capture_output=True, env=environment)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*program, "start", "--nodaemon", str(base)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self.pid = self.process.pid

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def worker(side, ours, port, place):
    """The worker of one side, attached or not yet; it is ended afterwards."""
    base = place / f"{side}-{port}"
    shutil.rmtree(base, ignore_errors=True)
    theirs = [sys.executable, "-c", PYTHON_WORKER]
    program = [str(ours)] if side == "ours" else theirs
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "LC_ALL": "C.UTF-8"}
    running = Worker(program, base, port, environment)
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(base, ignore_errors=True)


class Sink:
    """The program `sink`: a master that throws output away."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._line("port")[0])

    def _line(self, word):
        words = self.process.stdout.readline().split()
        if not words or words[0] != word:
            raise Trouble(f"the sink said {words}, not {word}")
        return words[1:]

    def wait_attached(self):
        self._line("attached")

    def order(self, *words):
        """Seconds, bytes, and seconds to the first output."""
        self.process.stdin.write("\t".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        seconds, count, first = self._line("done")
        return float(seconds), int(count), float(first)

    def stop(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def sink(program):
    running = Sink(program)
    try:
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def long_link(port, milliseconds):
    """The port of a relay to `port` with this time for a round trip."""
    argv = [sys.executable, str(HERE / "delay.py"), str(port), str(milliseconds / 2)]
    relay = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        yield int(relay.stdout.readline())
    finally:
        relay.kill()
        relay.wait()
