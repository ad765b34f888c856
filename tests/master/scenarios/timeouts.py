"""Programs that are ended: by a time limit, or because somebody stopped the build."""

from harness.scenario import scenario
from harness.stage import read_pid
from steps import sh

# The shell waits for a child in the background: one in the foreground that dies of the signal would
# make it say so, depending on the moment.
HEEDS_TERM = "trap 'echo heard TERM; exit 7' TERM; echo ready; sleep 60 & wait"
IGNORES_TERM = "trap '' TERM; echo ready; sleep 60"


@scenario(
    "A program that is silent for too long is killed",
    shows={"silent/log:stdio": "^hcommand timed out: 2 seconds without output running"},
)
def idle_limit(at):
    return [
        sh("echo begin; sleep 60", "silent", timeout=2),
        sh(["sleep", "60"], "silent from the start", timeout=1),
        sh("for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done", "talks in time", timeout=2),
        # Even half a line counts as a sign of life.
        sh("for i in 1 2 3 4 5 6; do printf $i; sleep 0.5; done", "half lines", timeout=2),
        sh("sleep 3; echo no limit", "no limit", timeout=None),
        sh("sleep 2; echo also none", "zero is none", timeout=0),
        sh("echo begin; sleep 60", "a fraction", timeout=1.5),
    ]


@scenario(
    "A program that takes too long altogether is killed",
    shows={"too long/log:stdio": "^hcommand timed out: 2 seconds elapsed running"},
)
def total_limit(at):
    return [
        sh("echo start; sleep 60", "too long", maxTime=2),
        sh("echo start; sleep 60", "one second", maxTime=1),
        sh("sleep 1; echo in time", "in time", maxTime=20),
        sh("echo start; sleep 60", "both limits", maxTime=2, timeout=30),
    ]


@scenario(
    "With sigtermTime the program is asked first, and its own status counts",
    shows={
        "heeds/log:stdio": ["^oheard TERM$", "^hprogram finished with exit code 7$"],
        "ignores/log:stdio": "^hprocess killed by signal 9$",
    },
)
def asked_to_end(at):
    return [
        sh(HEEDS_TERM, "heeds", maxTime=2, sigtermTime=10),
        sh(IGNORES_TERM, "ignores", maxTime=2, sigtermTime=2),
        sh("trap 'exit 0' TERM; sleep 60 & wait", "ends well", maxTime=2, sigtermTime=10),
        sh(["sleep", "60"], "dies of it", maxTime=2, sigtermTime=10),
        sh(HEEDS_TERM, "idle and heeds", timeout=2, sigtermTime=10),
        sh("trap '' INT; sleep 60", "another signal", maxTime=2, interruptSignal="TERM"),
    ]


def grandchild_drive(stage):
    """Notes what became of a grandchild that ignores TERM."""
    stage.force()
    pid_file = stage.builder_directory() / "build" / "pid"
    stage.wait_for_file(pid_file)
    stage.finish()
    stage.note_gone("grandchild", read_pid(pid_file))


@scenario(
    "A grandchild that ignores TERM does not outlive its step",
    drive=grandchild_drive,
    shows={"stubborn family/results": "FAILURE"},
)
def stubborn_grandchild(at):
    grandchild = "trap '' TERM; echo $$ > pid.new; mv pid.new pid; while :; do sleep 0.1; done"
    return [
        sh(
            ["sh", "-c", 'trap "" TERM; sh -c "$1"; sleep 60', "parent", grandchild],
            "stubborn family",
            maxTime=3,
            sigtermTime=2,
        )
    ]


def stop_when_started(stage):
    """Stops the build once its step has made the file `started`."""
    build = stage.build_of(stage.force())
    started = stage.builder_directory() / "build" / "started"
    stage.wait_for_file(started)
    stage.stop_build(build, "enough of it")
    stage.finish()
    stage.note_gone("program", read_pid(started))


# The step says who it is only when its trap is set.
STARTED = "echo $$ > started.new; mv started.new started; echo working;"


@scenario(
    "Stopping a build kills the program of its step, and clean-up steps still run",
    drive=stop_when_started,
    ends="CANCELLED",
    shows={
        "endless/log:stdio": "^hcommand interrupted, attempting to kill$",
        "clean/results": "SUCCESS",
        "noted/program": "^gone$",
    },
)
def interrupt(at):
    return [
        sh(f"{STARTED} while :; do sleep 0.1; done", "endless"),
        sh(["echo", "never"], "never"),
        sh(["echo", "swept"], "clean", alwaysRun=True),
    ]


@scenario(
    "Stopping a build asks the program first if the step has a sigtermTime",
    drive=stop_when_started,
    ends="CANCELLED",
    shows={"endless/log:stdio": "^oheard TERM$"},
)
def interrupt_with_sigterm(at):
    heed = "trap 'echo heard TERM; exit 7' TERM;"
    return [sh(f"{heed} {STARTED} sleep 60 & wait", "endless", sigtermTime=10)]


@scenario(
    "Stopping a build sends the signal that the step names",
    drive=stop_when_started,
    ends="CANCELLED",
    shows={"seen/log:stdio": "^oheard INT$"},
)
def interrupt_with_signal(at):
    # Into a file, because nobody reads the output any more once the signal is sent.
    heed = "trap 'echo heard INT > heard; exit 8' INT;"
    return [
        sh(f"{heed} {STARTED} while :; do sleep 0.1; done", "endless", interruptSignal="INT"),
        sh(["cat", "heard"], "seen", alwaysRun=True),
    ]


@scenario(
    "Stopping a build ends a program that runs on a terminal",
    drive=stop_when_started,
    ends="CANCELLED",
)
def interrupt_on_terminal(at):
    return [sh(f"{STARTED} while :; do sleep 0.1; done", "endless", usePTY=True)]
