"""Files and texts that go from the master to the worker."""

from buildbot.plugins import steps

from harness.scenario import scenario
from steps import sh, tolerant


def download(at, source, target, name, **arguments):
    return tolerant(
        steps.FileDownload,
        mastersrc=str(at.inputs / source),
        workerdest=target,
        name=name,
        **arguments,
    )


SEEN = "LC_ALL=C find . -type f -printf '%m %s %p\\n' | LC_ALL=C sort -k3; find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum"


@scenario(
    "A file arrives byte for byte, with its mode, in directories made for it",
    shows={"seen/log:stdio": [r"^o755 100000 \./program$", r"^o644 5242880 \./whole$"]},
)
def file_download(at):
    return [
        download(at, "random-5m", "whole", "whole"),
        *[
            download(at, "random-100k", f"block-{size}", f"block {size}", blocksize=size)
            for size in (512, 16 * 1024, 99_999, 100_000, 640 * 1024)
        ],
        download(at, "empty", "empty", "empty"),
        download(at, "random-100k", "program", "program", mode=0o755),
        download(at, "text", "read-only", "read only", mode=0o444),
        download(at, "text", "deep/er/still/text", "new directory"),
        download(at, "text", "with space ünï €", "odd name"),
        download(at, "text", "text", "work directory", workdir="build/elsewhere"),
        download(at, "text", "~/downloaded", "home"),
        download(at, "text", "whole-then-text", "first"),
        download(at, "empty", "whole-then-text", "overwrites"),
        sh(SEEN, "seen"),
        sh('cat "$HOME/downloaded"', "seen in home"),
    ]


@scenario("A file that the master does not have fails", shows={"missing/results": "FAILURE"})
def file_download_missing(at):
    return [
        download(at, "missing", "missing", "missing"),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]


@scenario(
    "A download that is too large, or that cannot be written, fails",
    shows={"too big/results": "FAILURE", "on a directory/results": "FAILURE"},
)
def file_download_limited(at):
    return [
        download(at, "random-100k", "too-big", "too big", maxsize=99_999),
        download(at, "random-100k", "exact", "exactly as big", maxsize=100_000),
        download(at, "random-100k", "fits", "fits", maxsize=100_001),
        sh("mkdir directory; echo x > locked; chmod 000 locked", "prepare"),
        download(at, "text", "directory", "on a directory"),
        download(at, "text", "locked", "on a locked file"),
        sh("chmod 644 locked", "unlock"),
        sh(SEEN, "seen"),
    ]


@scenario("A download below a file fails", shows={"below a file/results": "FAILURE"})
def file_download_impossible(at):
    return [
        sh("echo x > file", "prepare"),
        download(at, "text", "file/below", "below a file"),
        sh(["echo", "still working"], "after"),
    ]


@scenario("Texts arrive as UTF-8", shows={"runs/log:stdio": "^oit runs$"})
def string_download(at):
    def text(content, target, name, **arguments):
        return tolerant(steps.StringDownload, content, workerdest=target, name=name, **arguments)

    return [
        text("a text\nwith ünï €\n", "text", "text"),
        text("", "empty", "empty"),
        text("#!/bin/sh\necho it runs\n", "program", "program", mode=0o755),
        text("€" * 50_000, "euros", "many characters of three bytes"),
        text("0123456789" * 1000, "cut", "too long", maxsize=500),
        tolerant(steps.JSONStringDownload, {"key": ["ü", 1, None]}, workerdest="json", name="json"),
        tolerant(steps.JSONPropertiesDownload, workerdest="properties", name="properties"),
        sh(SEEN.replace("-type f", "-type f ! -name properties"), "seen"),
        sh("./program; cat json; echo; wc -l < properties", "runs"),
    ]
