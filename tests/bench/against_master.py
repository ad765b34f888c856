"""What is measured against a real Buildbot master."""

import os
import re
import shutil
import sys
import time
from pathlib import Path

import process
import sides
from against_sink import MB, ROUND_TRIP, digest
from harness.errors import Trouble
from harness.master import Master
from harness.waiting import wait_for

HERE = Path(__file__).resolve().parent
# A real master takes a few MB of output a second, and keeps it.
SHORT_MB = {True: 4, False: 20}


def measure(side, options, place):
    """All numbers of one side."""
    found = {}
    directory = place / "master"
    inputs = place / "real"
    make_inputs(place, inputs, options)
    tiny = options.tiny // 10
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "LC_ALL": "C.UTF-8"}
    directory.mkdir()
    master = Master(
        Path(sys.prefix),
        directory,
        HERE / "master.cfg",
        {"place": str(inputs), "tiny": tiny},
        environment,
    )
    master.start()
    try:
        with sides.worker(side, options.worker, master.port, place) as worker:
            wait_for("the worker", lambda: master.connected("boat"), 30)
            steps(found, master, worker, inputs, tiny)
        with sides.long_link(master.port, ROUND_TRIP) as port:
            wait_for("the worker's end", lambda: not master.connected("boat"), 30)
            with sides.worker(side, options.worker, port, place) as worker:
                wait_for("the worker", lambda: master.connected("boat"), 30)
                transfers(found, master, worker, inputs, f", {ROUND_TRIP} ms link")
    finally:
        master.stop()
        shutil.rmtree(directory)
    return {f"real master: {name}": value for name, value in found.items()}


def make_inputs(place, inputs, options):
    inputs.mkdir(exist_ok=True)
    if (inputs / "short").exists():
        return
    with open(place / "short", "rb") as file:
        (inputs / "short").write_bytes(file.read(SHORT_MB[options.quick] * MB))
    with open(place / "big", "rb") as file:
        (inputs / "big").write_bytes(file.read(options.file * MB // 3))


class Build:
    """A build that runs or has run."""

    def __init__(self, master, builder):
        self.master = master
        self.began = time.monotonic()
        found = master.rest.call("forceschedulers/force", "force", builderid=master.builder_id(builder))
        self.request = found[0]

    def row(self):
        requests = self.master.rest.rows("buildrequests", buildsetid=self.request)
        rows = requests and self.master.rest.rows(
            "builds", buildrequestid=requests[0]["buildrequestid"]
        )
        return rows[0] if rows else None

    def wait(self):
        """The wall time in seconds, to a tenth."""

        def over():
            row = self.row()
            return row if row and row["complete"] else None

        row = wait_for("the end of a build", over, 1200)
        if row["results"] != 0:
            raise Trouble(f"a build ended with {row['results']}: {row['state_string']}")
        return time.monotonic() - self.began


def steps(found, master, worker, inputs, tiny):
    found["RSS before the steps, MiB"] = process.rss_mib(worker.pid)
    before = process.cpu_seconds(worker.pid)
    Build(master, "tiny").wait()
    used = process.cpu_seconds(worker.pid) - before
    found["tiny step, CPU ms"] = used * 1000 / tiny
    found["first line, s"] = first_line(master)
    process.forget_peak(worker.pid)
    before = process.cpu_seconds(worker.pid)
    seconds = Build(master, "short").wait()
    used = process.cpu_seconds(worker.pid) - before
    size = (inputs / "short").stat().st_size
    found["200 MB of short lines, CPU s"] = used * 200 * MB / size
    found["short lines, MB/s"] = size / MB / seconds
    found["short lines, peak MiB"] = process.peak_mib(worker.pid)


def first_line(master):
    """From the time that a step prints until its line is in the master's log."""
    build = Build(master, "first")

    def shown():
        row = build.row()
        for step in master.rest.rows(f"builds/{row['buildid']}/steps") if row else []:
            for log in master.rest.rows(f"steps/{step['stepid']}/logs"):
                chunk = master.rest.get(f"logs/{log['logid']}/contents")["logchunks"][0]
                line = re.search(r"^oprinted at ([\d.]+)", chunk["content"], re.MULTILINE)
                if line:
                    return time.time() - float(line[1])
        return None

    latency = wait_for("the first line", shown, 60)
    build.wait()
    return latency


def transfers(found, master, worker, inputs, link):
    wanted = digest(inputs / "big")
    size = (inputs / "big").stat().st_size
    there = inputs / "arrived"
    for word in ("up", "down"):
        there.unlink(missing_ok=True)
        before = process.cpu_seconds(worker.pid)
        seconds = Build(master, word).wait()
        used = process.cpu_seconds(worker.pid) - before
        if digest(there) != wanted:
            raise Trouble(f"the file that went {word} is not what it was")
        found[f"file {word}{link}, MB/s"] = size / MB / seconds
        found[f"300 MB {word}{link}, CPU s"] = used * 300 * MB / size
