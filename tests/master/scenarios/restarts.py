"""Masters and workers that go away in the middle of a build."""

import signal

from harness.scenario import scenario
from harness.stage import read_pid
from steps import sh

WORK = (
    "if [ -e second ]; then echo second try; exit 0; fi; : > second;"
    " echo $$ > new; mv new started; echo first try; while :; do sleep 0.1; done"
)


def steps_of_two_tries(at):
    return [sh(WORK, "works"), sh(["echo", "and on"], "goes on")]


def started_file(stage):
    return stage.builder_directory() / "build" / "started"


def until_second_try(stage, disturb):
    """Starts a build, lets `disturb` happen, and waits for the build that is tried again."""
    stage.only_last_build = True  # the first one is cut at a moment that no two runs share
    request = stage.force()
    stage.wait_for_file(started_file(stage))
    pid = read_pid(started_file(stage))
    disturb()
    stage.note_gone("program of the first try", pid)
    stage.finish()
    builds = stage.rest.rows(f"buildrequests/{request}/builds", order="number")
    stage.note("builds", len(builds))


def master_stops(stage):
    """The master cancels its builds before it goes, whatever the worker says; a person asks anew."""
    stage.force()
    stage.wait_for_file(started_file(stage))
    pid = read_pid(started_file(stage))
    stage.master.restart()
    stage.note_gone("program of the first try", pid)
    stage.finish()
    stage.group.attached()
    stage.force()
    stage.finish()


def master_killed(stage):
    until_second_try(stage, lambda: stage.master.restart(kill=True))


def worker_stops(stage):
    def again():
        stage.worker.daemon.signal(signal.SIGTERM)
        stage.worker.daemon.ended(15)
        stage.worker.start()

    until_second_try(stage, again)


def worker_killed(stage):
    def again():
        stage.worker.daemon.kill()
        stage.worker.start()

    # The program of the first try outlives a worker that had no chance to end it.
    until_second_try(stage, again)


@scenario(
    "A restart of the master ends its build, and the worker comes back by itself for the next",
    drive=master_stops,
    alone=True,
    shows={"#2/works/log:stdio": "^osecond try$", "noted/program of the first try": "^gone$"},
)
def master_restarted(at):
    return steps_of_two_tries(at)


@scenario(
    "A build whose master was killed is tried again and succeeds",
    drive=master_killed,
    alone=True,
    shows={"works/log:stdio": "^osecond try$", "noted/program of the first try": "^gone$"},
)
def master_was_killed(at):
    return steps_of_two_tries(at)


@scenario(
    "A build whose worker was stopped is tried again on the next one",
    drive=worker_stops,
    alone=True,
    shows={"works/log:stdio": "^osecond try$", "noted/program of the first try": "^gone$"},
)
def worker_stopped(at):
    return steps_of_two_tries(at)


@scenario(
    "A build whose worker was killed is tried again on the next one",
    drive=worker_killed,
    alone=True,
    shows={"works/log:stdio": "^osecond try$"},
)
def worker_was_killed(at):
    return steps_of_two_tries(at)


def graceful(stage):
    """Asks the worker, through its page, to go when its build is done."""
    stage.force()
    stage.wait_for_file(started_file(stage))
    worker = stage.rest.rows("workers", name=stage.worker.name)[0]["workerid"]
    stage.rest.call(f"workers/{worker}", "stop")
    (started_file(stage).parent / "go").touch()
    stage.finish()
    stage.note("exit status", stage.worker.daemon.ended(20))
    stage.worker.start()
    stage.group.attached()


@scenario(
    "A worker that is asked to stop finishes its build and then leaves",
    drive=graceful,
    alone=True,
    shows={"works/log:stdio": "^odone$", "noted/exit status": "^0$"},
)
def worker_asked_to_stop(at):
    wait = "echo $$ > new; mv new started; while [ ! -e go ]; do sleep 0.1; done; echo done"
    return [sh(wait, "works")]
