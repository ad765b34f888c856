"""What happens in a worker's life. A case takes a Stage and returns the figures that it measured."""

import random
import signal
import socket
import subprocess
import time

from harness.errors import Trouble
from harness.ports import listens
from harness.stage import alive
from harness.waiting import wait_for
from life.boat import check
from life.command_line import command_line
from life.link import Link

ALL = {}


def case(function):
    """Puts a function on the list, under its name."""
    ALL[function.__name__.replace("_", "-")] = function
    return function


def warm_up(stage):
    boat = stage.boat()
    boat.start()
    for kind in ("quick", "short", "mixed"):
        boat.green(boat.force(kind))


def stranger():
    """A process that is nobody's worker."""
    return subprocess.Popen(["sleep", "600"], cwd="/", env={}, stdin=subprocess.DEVNULL)


case(command_line)


@case
def start_and_stop(stage):
    boat = stage.boat()
    shown = boat.start()
    boat.attached()
    boat.build_green()
    pid = boat.pid()
    boat.do("start", code=1, says=f"process {pid}\\b")
    check(boat.pid() == pid and alive(pid), "the second start disturbed the first worker")
    stopped = boat.do("stop", says=f"^worker process {pid} is dead\n$")
    boat.nothing_left(1)
    boat.do("stop", says="^worker not running\n$")
    other = boat.home / "buildbot-worker"
    other.symlink_to(stage.scene.program[0])
    says = r"Following twistd.log.*\nThe buildbot-worker appears to have \(re\)started correctly"
    boat.do("start", says=says, program=[other])
    boat.do("stop", says="is dead", program=[other])
    return f"attached in {shown} ms, stopped in {stopped.seconds * 1000:.0f} ms"


def verdict(stage, says, **changes):
    boat = stage.boat(**changes)
    done = boat.do("start", code=1, says=says)
    check(done.seconds < 8, f"told only after {done.seconds:.1f} s")
    # It keeps trying, as somebody may put the master right.
    check(alive(boat.pid()), "the worker has ended")
    boat.do("stop", says="is dead")
    boat.nothing_left(1)
    return f"told after {done.seconds:.1f} s"


@case
def verdict_wrong_password(stage):
    return verdict(stage, "not attached.*unauthorized login; check worker name and password", password="x")


@case
def verdict_unknown_host(stage):
    return verdict(stage, "not attached.*no-such-host.invalid", host="no-such-host.invalid")


@case
def verdict_refused_port(stage):
    return verdict(stage, "not attached.*(?i:connection refused)", port=stage.closed_port)


@case
def stale_pid_file(stage):
    boat = stage.boat()
    foreign = stranger()
    try:
        for command in ("start", "restart"):
            boat.start()
            boat.kill()
            boat.nothing_left()
            (boat.directory / "twistd.pid").write_text(str(foreign.pid))
            boat.start(command)
            boat.attached()
            boat.build_green()
            check(foreign.poll() is None, f"`{command}` ended a stranger")
            (boat.directory / "twistd.pid").write_text(str(foreign.pid))
            boat.do("stop", says="is dead")
            check(foreign.poll() is None, "`stop` ended a stranger")
    finally:
        foreign.kill()
        foreign.wait()


@case
def kill_in_mid_step(stage):
    boat = stage.boat()
    boat.start()
    request = boat.begin("long")
    check(len(boat.processes()) >= 5, "the step has fewer processes than it started")
    boat.kill()
    gone = boat.nothing_left()
    shown = boat.start("restart")
    check(boat.green(request) == 2, "the build was not tried again")
    boat.build_green()
    return f"all processes gone in {gone * 1000:.0f} ms, attached again in {shown} ms"


@case
def stuck_worker(stage):
    """A boot script's restart ends with a running worker, also if the old one hears no signal."""
    boat = stage.boat()
    boat.start()
    request = boat.begin("long")
    stuck = boat.pid()
    boat.kill(signal.SIGSTOP)
    done = boat.do("restart", says=f"worker process {stuck} does not end, killing it(.*\n)*.*attached")
    check(not alive(stuck) and boat.pid() != stuck, "the old worker is still there")
    boat.green(request)
    return f"restarted in {done.seconds:.1f} s"


@case
def retries_used_up(stage):
    boat = stage.boat("--maxretries=2", port=stage.closed_port)
    done = boat.run("start", "--nodaemon", boat.directory)
    check(done.returncode == 0, f"it ended with {done.returncode}: {done.stdout}{done.stderr}")
    check("maxretries: 2 attempts have failed, stopping" in boat.log(), boat.log())


@case
def stop_in_mid_step(stage):
    boat = stage.boat()
    boat.start()
    request = boat.begin("long")
    done = boat.do("stop", says="is dead")
    boat.nothing_left(1)
    boat.start()
    boat.green(request)
    request = boat.begin("long")
    boat.do("restart", says="attached")
    boat.green(request)
    boat.build_green()
    return f"stopped in {done.seconds * 1000:.0f} ms"


@case
def foreground(stage):
    boat = stage.boat("--no-logrotate")
    process = boat.popen("start", "--nodaemon")
    boat.attached()
    boat.begin("long")
    process.send_signal(signal.SIGTERM)
    text, _ = process.communicate(timeout=15)
    check(process.returncode == -signal.SIGTERM, f"it ended with {process.returncode}")
    check("Received SIGTERM, shutting down." in text, text[-500:])
    boat.nothing_left(1)
    argv = ["timeout", "4", *boat.program, "start", "--nodaemon", boat.directory]
    ended = subprocess.run(argv, env=boat.env, capture_output=True, text=True, timeout=30)
    check(ended.returncode == 124, f"under timeout: {ended.returncode}")
    check("message from master: attached" in ended.stdout, ended.stdout)
    boat.nothing_left(1)


@case
def drain(stage):
    boat = stage.boat()
    boat.start()
    request = boat.begin("short")
    pid = boat.pid()
    done = boat.do("stop", "--drain", says=f"ends when its builds are over(.*\n)*.*process {pid} is dead")
    check(done.seconds > 2, f"it ended after {done.seconds:.1f} s already")
    check(boat.green(request, 5) == 1, "the build was tried again")
    boat.nothing_left(1)
    boat.start()
    idle = boat.do("stop", "--drain", says="is dead")
    return f"3 s of a build, then gone: {done.seconds:.1f} s; idle {idle.seconds * 1000:.0f} ms"


@case
def drain_with_an_end(stage):
    boat = stage.boat()
    boat.start()
    request = boat.begin("long")
    done = boat.do("stop", "--drain", "--timeout", "2", says="not over after 2 s(.*\n)*.*is dead")
    check(2 <= done.seconds < 6, f"it took {done.seconds:.1f} s")
    boat.nothing_left(1)
    boat.start()
    boat.green(request)
    for word in ([], ["--drain"]):
        request = boat.begin("long")
        waiting = boat.popen("stop", "--drain")
        wait_for("the wish to go", lambda: "Telling the master we want to" in boat.log(), 5)
        boat.do("stop", *word, says="is dead")
        waiting.communicate(timeout=5)
        check(waiting.returncode == 0, f"the first stop ended with {waiting.returncode}")
        boat.nothing_left(1)
        (boat.directory / "twistd.log").unlink()
        boat.start()
        boat.green(request)
    return f"at its limit of 2 s: {done.seconds:.1f} s"


@case
def graceful_by_signal(stage):
    boat = stage.boat("--allow-shutdown=signal")
    boat.start()
    request = boat.begin("short")
    boat.kill(signal.SIGHUP)
    boat.nothing_left(20)
    check(boat.green(request, 5) == 1, "the build was tried again")
    boat.start()
    boat.kill(signal.SIGHUP)
    boat.nothing_left(10)


@case
def graceful_by_file(stage):
    boat = stage.boat("--allow-shutdown=file")
    boat.start()
    request = boat.begin("short")
    (boat.directory / "shutdown.stamp").write_text("")
    took = boat.nothing_left(20)
    check(boat.green(request, 5) == 1, "the build was tried again")
    boat.start()
    boat.build_green()
    return f"gone {took:.1f} s after the touch"


@case
def takeover(stage):
    theirs = [stage.scene.venv / "bin/buildbot-worker"]
    boat = stage.boat("--umask=0o22", create=theirs)
    boat.do("start", program=theirs, says="started correctly")
    boat.build_green()
    boat.do("start", code=1, says=f"process {boat.pid()}")
    boat.do("stop", program=theirs, says="is dead")
    shown = boat.start()
    boat.build_green()
    boat.do("stop", says="is dead")
    boat.do("start", program=theirs, says="started correctly")
    boat.build_green()
    boat.do("stop", program=theirs, says="is dead")
    # And what we create is theirs too.
    boat = stage.boat("--keepalive=7")
    boat.do("start", program=theirs, says="started correctly")
    boat.build_green()
    boat.do("stop", program=theirs, says="is dead")
    boat.start()
    boat.build_green()
    return f"attached in their directory in {shown} ms"


@case
def master_away_for_a_minute(stage):
    master = stage.own_master()
    boat = stage.boat(master=master)
    boat.start()
    boat.build_green()
    master.stop()
    time.sleep(60)
    before = boat.log().count("message from master: attached")
    starting = stage.in_background(master.start)
    wait_for("the master's port", lambda: listens(master.port), 60)
    began = time.monotonic()
    wait_for("the worker", lambda: boat.log().count("message from master: attached") > before, 90)
    took = time.monotonic() - began
    starting.result()
    boat.build_green()
    check(took < 10, f"attached {took:.1f} s after the master's return")
    return f"attached {took:.1f} s after the master's return"


@case
def drain_without_master(stage):
    master = stage.own_master()
    boat = stage.boat(master=master)
    boat.start()
    boat.begin("long")
    draining = boat.popen("stop", "--drain")
    wait_for("the wish to go", lambda: "Telling the master we want to" in boat.log(), 5)
    master.daemon.kill()
    boat.nothing_left(10)
    draining.communicate(timeout=5)
    check(draining.returncode == 0, f"the stop ended with {draining.returncode}")


@case
def black_hole(stage):
    link = Link(stage.master.port)
    boat = stage.boat("--keepalive=5", port=link.port)
    boat.start()
    boat.begin("long")
    link.dark(True)
    began = time.monotonic()
    wait_for("the worker to notice", lambda: "has been silent" in boat.log(), 60)
    noticed = time.monotonic() - began
    wait_for("the end of the step", lambda: boat.processes() == [boat.pid()], 5)
    time.sleep(random.uniform(0, 8))
    before = boat.log().count("message from master: attached")
    link.dark(False)
    began = time.monotonic()
    wait_for("the worker", lambda: boat.log().count("message from master: attached") > before, 60)
    back = time.monotonic() - began
    boat.build_green()
    check(noticed < 35.5, f"noticed after {noticed:.1f} s")
    check(back < 10, f"back {back:.1f} s after the link")
    return f"noticed after {noticed:.1f} s, back {back:.1f} s after the link's return"


@case
def duplicate(stage):
    first = stage.boat()
    first.start()
    dialed = first.log().count("Connecting to")
    second = stage.boat(name=first.name, directory="second")
    second.do("start", code=1, says="duplicate")
    check(alive(second.pid()), "the duplicate has ended")
    first.build_green()
    check(first.log().count("Connecting to") == dialed, "the duplicate disturbed the first")
    first.do("stop", says="is dead")
    began = time.monotonic()
    wait_for("the second", lambda: "message from master: attached" in second.log(), 30)
    took = time.monotonic() - began
    second.build_green()
    return f"attached {took:.1f} s after the first had gone"


@case
def log_rotation(stage):
    theirs = [stage.scene.venv / "bin/buildbot-worker"]
    for create in (None, theirs):
        boat = stage.boat("--log-size=2000", "--log-count=2", create=create)
        boat.start()
        for _ in range(12):
            boat.build_green()
        names = sorted(each.name for each in boat.directory.glob("twistd.log*"))
        check(names == ["twistd.log", "twistd.log.1", "twistd.log.2"], str(names))
        sizes = [(boat.directory / name).stat().st_size for name in names]
        check(max(sizes) < 2400, str(sizes))
        boat.do("stop", says="is dead")
    return f"files of {sizes} bytes"


@case
def log_wish(stage):
    """SIGUSR1 puts the log aside, as far as nobody has said how that is done."""
    boat = stage.boat("--no-logrotate")
    boat.start()
    boat.kill(signal.SIGUSR1)
    boat.build_green()
    old = (boat.directory / "twistd.log.1").read_text()
    check("Starting Worker" in old and "Starting Worker" not in boat.log(), "the log was not put aside")
    check("startCommand" in boat.log(), boat.log())
    # And what somebody else put aside is not written any more.
    (boat.directory / "twistd.log").rename(boat.directory / "mine")
    boat.kill(signal.SIGUSR1)
    boat.build_green()
    size = (boat.directory / "mine").stat().st_size
    check("startCommand" in boat.log(), boat.log())
    boat.build_green()
    check((boat.directory / "mine").stat().st_size == size, "the old file still grows")


@case
def umask_and_host_name(stage):
    for options, mask in (([], 0o077), (["--umask=0o27"], 0o027)):
        boat = stage.boat(*options)
        boat.start()
        boat.begin("short")
        mode = (boat.place("short") / "started").stat().st_mode & 0o777
        check(mode == 0o666 & ~mask, f"a step's file has mode {mode:o} with mask {mask:o}")
        name = (boat.directory / "twistd.hostname").read_text().strip()
        check(name in (socket.gethostname(), socket.getfqdn()), f"twistd.hostname holds {name}")
        boat.do("stop", says="is dead")


@case
def kill_at_random_instants(stage):
    boat = stage.boat()
    boat.start()
    slowest = 0.0
    for number in range(stage.kills):
        boat.force("mixed")
        time.sleep(random.uniform(0, 2.5))
        boat.kill()
        try:
            slowest = max(slowest, boat.nothing_left())
        except Trouble:
            left = [open(f"/proc/{pid}/cmdline").read() for pid in boat.processes()]
            raise Trouble(f"kill {number}: left {left}") from None
        for name in ("buildbot.tac", "info/admin", "info/host"):
            check((boat.directory / name).stat().st_size, f"kill {number}: {name} is empty")
        boat.start("restart")
        boat.build_green(90)
    # Not the builds of before: a master forgets one whose worker is lost while the build is being started
    # (an AttributeError about putInQuarantine in its log), and makes one of several that wait.
    boat.green(boat.force("mixed"), 120)
    return f"{stage.kills} kills, processes gone in at most {slowest * 1000:.0f} ms"
