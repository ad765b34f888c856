"""How a step ends, and what becomes of its build."""

from buildbot.plugins import util
from buildbot.process.results import FAILURE, SUCCESS, WARNINGS

from harness.scenario import scenario
from steps import sh


@scenario("A step that succeeds makes a build that succeeds")
def success(at):
    return [sh(["echo", "hello"], "hello", flunkOnFailure=True)]


@scenario(
    "A step that fails stops the build, but not its clean-up",
    ends="FAILURE",
    shows={"fails/log:stdio": "^ogoing", "clean/results": "SUCCESS"},
)
def failure(at):
    return [
        sh("echo going; exit 2", "fails", haltOnFailure=True, flunkOnFailure=True),
        sh(["echo", "never"], "never"),
        sh(["echo", "swept"], "clean", alwaysRun=True),
    ]


@scenario(
    "The exit status decides the result, through decodeRC",
    shows={"status 3/state": "exit 3", "status 5/results": "WARNINGS"},
)
def exit_statuses(at):
    fleet = {0: SUCCESS, 5: WARNINGS}
    return [
        *[sh(f"exit {status}", f"status {status}", decodeRC=fleet) for status in (0, 1, 3, 5, 255)],
        sh("exit 3", "three is fine", decodeRC={3: SUCCESS, 0: FAILURE}),
    ]


@scenario(
    "A program that dies by a signal gives -1 and names the signal",
    shows={
        "signal TERM/log:stdio": "^hprocess killed by signal 15$",
        "signal KILL/results": "FAILURE",
    },
)
def signals(at):
    died = [
        sh(f"kill -{name} $$", f"signal {name}") for name in ("TERM", "KILL", "SEGV", "HUP", "USR1")
    ]
    # Its own child dies, and the shell reports that as a status.
    return [*died, sh("sh -c 'kill -9 $$'; exit $?", "a child dies")]


@scenario(
    "A program that is not there, or cannot be executed, is a failed step and not an exception",
    shows={"missing/results": "FAILURE", "not in PATH/results": "FAILURE"},
)
def program_missing(at):
    return [
        sh(["/nonexistent/program", "word"], "missing"),
        sh(["surely-not-a-program"], "not in PATH"),
        sh("printf 'echo never\\n' > script; chmod 644 script", "make a file"),
        sh(["./script"], "not executable"),
        sh(["/tmp"], "a directory"),
        sh("surely-not-a-program", "not known to the shell"),
    ]


@scenario("Three hundred tiny steps in one build", seconds=600)
def tiny_steps(at):
    return [sh(["true"], f"tiny {number:03}") for number in range(300)]


@scenario(
    "Results, descriptions and warnings that the master finds in the output",
    shows={"property/results": "SUCCESS", "properties": 'found: "the value"'},
)
def output_used_by_the_master(at):
    from buildbot.plugins import steps

    return [
        steps.SetPropertyFromCommand(
            command="echo the value", property="found", name="property", logEnviron=False
        ),
        steps.Compile(
            command="echo 'a.c:3: warning: odd'; echo fine; echo 'b.c:4: warning: odder' >&2",
            name="compile",
            logEnviron=False,
        ),
        sh(["echo", util.Interpolate("%(prop:found)s again")], "again"),
        steps.ShellSequence(
            commands=[
                util.ShellArg(command=["echo", "one"], logname="one"),
                util.ShellArg(command=["sh", "-c", "exit 4"], logname="two"),
                util.ShellArg(command=["echo", "three"], logname="three"),
            ],
            name="sequence",
            flunkOnFailure=False,
        ),
    ]
