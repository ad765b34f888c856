"""The environment that a shell step gives its program."""

from harness.scenario import scenario
from steps import sh

SHOW = "env | grep -v '^_=' | LC_ALL=C sort"


def shown(name, environment, **arguments):
    if environment is not None:
        arguments["env"] = environment
    return sh(["sh", "-c", SHOW], name, logEnviron=True, **arguments)


@scenario(
    "The environment is the worker's own, changed as the step says",
    shows={
        "as it is/log:stdio": [r"^oPWD=<group>/.*/build$", "^oUSER=tester$"],
        "removed/log:stdio": "(?s)^((?!^oUSER=).)*$",
        "joined/log:stdio": "^oLISTED=/a:/b:/c$",
        "expanded/log:stdio": ["^oPATH=/first:/usr", "^oUNSET=<>$", "^oTWICE=tester tester$"],
    },
)
def environment(at):
    return [
        shown("as it is", None),
        shown("nothing", {}),
        shown(
            "set", {"NEW": "value", "USER": "other", "EMPTY": "", "ODD": "ünï €", "EQUALS": "a=b"}
        ),
        shown("removed", {"USER": None, "NEVER_SET": None}),
        shown("joined", {"LISTED": ["/a", "/b", "/c"], "ONE": ["/a"], "NONE": []}),
        shown(
            "expanded",
            {
                "PATH": ["/first", "${PATH}"],
                "UNSET": "<${NOT_THERE}>",
                "TWICE": "${USER} ${USER}",
                "ODD": "$USER ${-x} ${} $$ ${USER",
                "OTHER": "${NEW}",
                "NEW": "value",
            },
        ),
    ]


@scenario(
    "PYTHONPATH is put before the worker's own, and PWD is always the work directory",
    shows={
        "PYTHONPATH/log:stdio": "^oPYTHONPATH=/pp:$",
        "PWD/log:stdio": r"^oPWD=<group>/.*/build$",
        "own program/log:stdio": "^omine$",
    },
)
def special_variables(at):
    return [
        shown("PYTHONPATH", {"PYTHONPATH": "/pp"}),
        shown("PYTHONPATH list", {"PYTHONPATH": ["/p1", "/p2"]}),
        shown("PWD", {"PWD": "/wrong"}),
        shown("PWD elsewhere", {"PWD": "/wrong"}, workdir="build/deep"),
        shown("PATH removed", {"PATH": None}),
        # The program is looked for in the PATH of the step.
        sh(["mkdir", "bin"], "bin"),
        sh("printf '#!/bin/sh\\necho mine\\n' > bin/own; chmod 755 bin/own", "prepare"),
        sh(
            ["own"],
            "own program",
            env={"PATH": [str(at.work / "special-variables/build/bin"), "${PATH}"]},
        ),
    ]


@scenario("A value that is no text makes the step an exception", ends="EXCEPTION")
def environment_of_wrong_type(at):
    return [
        sh(["true"], "a number", env={"A": 1}, alwaysRun=True),
        sh(["true"], "a truth", env={"A": True}, alwaysRun=True),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]
