"""Commands that no worker can carry out."""

from harness.scenario import scenario
from steps import Ask, sh


@scenario(
    "An unknown command, or one without what it needs, is an exception that says so",
    ends="EXCEPTION",
    shows={
        "unknown/log:err.text": "unrecognized WorkerCommand 'fly'",
        "mkdir/log:err.text": "KeyError",
        "after/results": "SUCCESS",
    },
)
def refused_commands(at):
    return [
        Ask("fly", {"where": "south"}, name="unknown", alwaysRun=True),
        Ask("", {}, name="no name", alwaysRun=True),
        Ask("mkdir", {}, name="mkdir", alwaysRun=True),
        Ask("rmdir", {}, name="rmdir", alwaysRun=True),
        Ask("cpdir", {"fromdir": "a"}, name="cpdir", alwaysRun=True),
        Ask("stat", {}, name="stat", alwaysRun=True),
        Ask("glob", {}, name="glob", alwaysRun=True),
        Ask("listdir", {}, name="listdir", alwaysRun=True),
        Ask("rmfile", {}, name="rmfile", alwaysRun=True),
        Ask("shell", {"workdir": "build"}, name="shell without command", alwaysRun=True),
        Ask("shell", {"command": ["true"]}, name="shell without workdir", alwaysRun=True),
        Ask(
            "uploadFile", {"workdir": "build", "workersrc": "x"}, name="uploadFile", alwaysRun=True
        ),
        Ask(
            "uploadDirectory",
            {"workdir": "build", "workersrc": "x"},
            name="uploadDirectory",
            alwaysRun=True,
        ),
        Ask(
            "downloadFile",
            {"workdir": "build", "workerdest": "x"},
            name="downloadFile",
            alwaysRun=True,
        ),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]


@scenario("Arguments of the wrong kind", ends="EXCEPTION", shows={"after/results": "SUCCESS"})
def wrong_arguments(at):
    shell = {"command": ["true"], "workdir": "build", "logEnviron": False}
    return [
        Ask("shell", {**shell, "usePTY": "slave-config"}, name="usePTY", alwaysRun=True),
        Ask("shell", {**shell, "env": {"A": 3}}, name="env", alwaysRun=True),
        Ask("shell", {**shell, "unknown": 3}, name="unknown argument", alwaysRun=True),
        Ask(
            "shell", {**shell, "interruptSignal": "NONSENSE"}, name="unused signal", alwaysRun=True
        ),
        Ask(
            "shell",
            {**shell, "command": ["echo", 3, None]},
            name="words that are no text",
            alwaysRun=True,
        ),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]
