"""Git steps, whose many small commands every fleet uses."""

import os
import subprocess

from buildbot.plugins import steps

from harness import people
from harness.scenario import scenario
from steps import sh, tolerant

# Commits are equal in every run: same author, same times.
AUTHOR = {
    "GIT_AUTHOR_NAME": "A Tester",
    "GIT_AUTHOR_EMAIL": "tester@example.org",
    "GIT_AUTHOR_DATE": "2001-09-09T01:46:40Z",
    "GIT_COMMITTER_NAME": "A Tester",
    "GIT_COMMITTER_EMAIL": "tester@example.org",
    "GIT_COMMITTER_DATE": "2001-09-09T01:46:40Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def repository(path):
    """A repository with two commits; made once, by the master."""
    if path.exists():
        return path

    def git(*words):
        subprocess.run(
            ["git", "-C", path, *words],
            check=True,
            capture_output=True,
            env={**os.environ, **AUTHOR},
        )

    path.mkdir(parents=True)
    git("init", "--initial-branch=main")
    for number, text in enumerate(("one\n", "two\n"), start=1):
        (path / "file").write_text(text)
        (path / f"extra-{number}").write_text("x\n")
        git("add", ".")
        git("commit", "-m", f"Commit {number}")
    git("config", "uploadpack.allowFilter", "true")
    people.give(path)  # git distrusts a repository of another user
    return path


def checkout_of(url, name, **arguments):
    """A Git step that clones or updates from `url`."""
    arguments.setdefault("repourl", url)
    environment = {**AUTHOR, "GIT_TERMINAL_PROMPT": "0"}
    return tolerant(
        steps.Git, name=name, branch="main", env=environment, logEnviron=False, **arguments
    )


# How often progress is told depends on the clock.
PROGRESS = r"e(?:remote: )?(?:Enumerating|Counting|Compressing|Receiving|Resolving|Total) .*"


@scenario(
    "Git steps clone, update, clean and clobber",
    left_out=PROGRESS,
    streams_apart=True,
    shows={
        "first/results": "SUCCESS",
        "seen/log:stdio": "^otwo$",
        "properties": "got_revision",
        "missing repository/results": "FAILURE",
    },
)
def git(at):
    url = f"file://{repository(at.out.parent / 'repository')}"

    def checkout(name, **arguments):
        return checkout_of(url, name, **arguments)

    return [
        checkout("first", mode="full", method="fresh", clobberOnFailure=True),
        sh("cat file; ls -A; echo dirt > dirt; echo changed > file", "seen"),
        checkout("again", mode="full", method="fresh", clobberOnFailure=True),
        sh("cat file; ls -A", "seen clean"),
        checkout("incremental", mode="incremental"),
        checkout("clobber", mode="full", method="clobber", shallow=True),
        checkout("copy", mode="full", method="copy"),
        sh("cat file; git log --oneline | wc -l", "seen last"),
        checkout("missing repository", mode="full", method="clobber", repourl=f"{url}-missing"),
    ]


@scenario(
    "Git steps leave out what is not needed, as a fleet's do",
    left_out=PROGRESS,
    streams_apart=True,
    shows={"first/results": "SUCCESS", "seen/log:stdio": "^otwo$"},
)
def git_filter(at):
    url = f"file://{repository(at.out.parent / 'filtered')}"
    arguments = {"mode": "full", "method": "fresh", "clobberOnFailure": True}
    return [
        checkout_of(url, "first", filters=["blob:none"], **arguments),
        sh("cat file; ls -A", "seen"),
    ]
