"""The directory in which a step's program runs."""

from harness.scenario import scenario
from steps import sh

PWD = "pwd; pwd -P; echo $PWD"


@scenario(
    "The work directory is made when it is missing, and may lie anywhere",
    shows={
        "deep/log:stdio": "/work-directories/build/a/b c/d$",
        "absolute/log:stdio": "^o<group>/worker/elsewhere$",
    },
)
def work_directories(at):
    return [
        sh(PWD, "default"),
        sh(PWD, "own name", workdir="other"),
        sh(PWD, "deep", workdir="build/a/b c/d"),
        sh(PWD, "beyond ASCII", workdir="build/ünï €"),
        sh(PWD, "builder's own", workdir="."),
        sh(PWD, "empty", workdir=""),
        sh(PWD, "above", workdir="../beside"),
        sh(PWD, "up and down", workdir="build/../build/./a"),
        sh(PWD, "absolute", workdir=str(at.work / "elsewhere")),
        sh(PWD, "trailing slash", workdir="build/"),
        sh(PWD, "tilde is a name", workdir="build/~"),
        sh("ln -s a build/link", "make a link", workdir="."),
        sh(PWD, "through a link", workdir="build/link"),
    ]


@scenario("A work directory that cannot be made is an exception", ends="EXCEPTION")
def work_directory_impossible(at):
    return [
        sh("echo text > file", "make a file", alwaysRun=True),
        sh(PWD, "in a file", workdir="build/file/deep", alwaysRun=True),
        sh(PWD, "is a file", workdir="build/file", alwaysRun=True),
        sh(PWD, "not allowed", workdir="/proc/nothing/here", alwaysRun=True),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]
