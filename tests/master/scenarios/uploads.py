"""Files and directories that go from the worker to the master."""

from buildbot.plugins import steps

from harness.scenario import scenario
from steps import ShowContent, sh, tolerant


def upload(at, source, target, name, **arguments):
    return tolerant(
        steps.FileUpload, workersrc=source, masterdest=str(at.out / target), name=name, **arguments
    )


def upload_tree(at, source, target, name, **arguments):
    return tolerant(
        steps.DirectoryUpload,
        workersrc=source,
        masterdest=str(at.out / target),
        name=name,
        **arguments,
    )


@scenario(
    "A file arrives byte for byte, whatever the size of the blocks",
    shows={
        "files/whole": "5242880 bytes",
        "missing/results": "FAILURE",
    },
)
def file_upload(at):
    return [
        sh(f"cp {at.inputs}/* .; ln -s text link", "prepare"),
        upload(at, "random-5m", "whole", "whole"),
        *[
            upload(at, "random-100k", f"block-{size}", f"block {size}", blocksize=size)
            for size in (512, 16 * 1024, 99_999, 100_000, 640 * 1024)
        ],
        upload(at, "empty", "empty", "empty"),
        upload(at, "text", "private", "mode", mode=0o600),
        upload(at, "link", "through-link", "through a link"),
        upload(at, "text", "deep/er/text", "new directory"),
        upload(at, str(at.inputs / "text"), "absolute", "absolute"),
        upload(at, "missing", "missing", "missing"),
        upload(at, ".", "directory", "a directory"),
    ]


@scenario("A file keeps its time if that is wanted", shows={"files/stamped": "of 1000000000"})
def file_upload_stamped(at):
    return [
        sh(f"cp {at.inputs}/text .; touch -d @1000000000 text", "prepare"),
        upload(at, "text", "stamped", "stamped", keepstamp=True),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]


@scenario("A missing file whose time is wanted", ends=None)
def file_upload_missing_stamped(at):
    return [
        upload(at, "missing", "missing", "missing", keepstamp=True),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]


@scenario("Blocks that are too large for one message", ends=None)
def file_upload_huge_blocks(at):
    return [
        upload(at, str(at.inputs / "random-5m"), "file", "huge blocks", blocksize=4 * 1024 * 1024),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]


@scenario("An upload larger than allowed is cut and fails", shows={"too big/results": "FAILURE"})
def file_upload_limited(at):
    return [
        sh(f"cp {at.inputs}/* .", "prepare"),
        upload(at, "random-100k", "too-big", "too big", maxsize=99_999),
        upload(
            at,
            "random-100k",
            "too-big-blocks",
            "too big in blocks",
            maxsize=50_000,
            blocksize=16_384,
        ),
        upload(at, "random-100k", "exact", "exactly as big", maxsize=100_000),
        upload(at, "random-100k", "fits", "fits", maxsize=100_001),
        upload(at, "empty", "nothing", "nothing", maxsize=10),
    ]


@scenario("Files in odd places and with odd names", shows={"home/results": "SUCCESS"})
def file_upload_names(at):
    names = ["with space", "ünï €", "quote'\"", "-dash", "new\nline", "$HOME", "*"]
    script = "mkdir -p 'sub dir'; for name; do printf '%s' \"$name\" > \"sub dir/$name\"; done"
    return [
        sh(["sh", "-c", script, "make", *names], "prepare"),
        *[
            upload(at, f"sub dir/{name}", f"file-{number}", f"name {number}")
            for number, name in enumerate(names)
        ],
        sh('printf home > "$HOME/in-home"', "prepare home"),
        upload(at, "~/in-home", "home", "home"),
        upload(at, "../build/sub dir/-dash", "dots", "dots"),
        upload(at, "-dash", "workdir", "work directory", workdir="build/sub dir"),
    ]


@scenario("Several files in one step, found by a pattern", shows={"pattern/results": "SUCCESS"})
def multiple_upload(at):
    def several(sources, target, name, **arguments):
        return tolerant(
            steps.MultipleFileUpload,
            workersrcs=sources,
            masterdest=str(at.out / target),
            name=name,
            **arguments,
        )

    make = "mkdir -p d/e; for i in a.txt b.txt c.log .hidden.txt d/d.txt d/e/e.txt; do echo $i > $i; done"
    return [
        sh(make, "prepare"),
        several(["a.txt", "c.log"], "listed", "listed"),
        several(["a.*", "b*.txt"], "pattern", "pattern", glob=True),
        several(["d"], "tree", "a directory"),
        several(["d"], "packed", "a packed directory", compress="gz"),
        several(["a.txt", "d"], "mixed", "mixed"),
        several(["*.none"], "none", "nothing found", glob=True),
        several(["a.txt", "missing"], "part", "one is missing"),
        several(["d/**/*.txt"], "deep", "recursive", glob=True),
    ]


TREE = """
mkdir -p tree/empty tree/'sub dir'/deep tree/private
cd tree
printf text > file
printf '#!/bin/sh\\n' > program; chmod 755 program
printf secret > private/key; chmod 600 private/key; chmod 700 private
printf odd > 'sub dir/with space'
printf odd > 'sub dir/ünï €'
printf odd > "sub dir/new
line"
printf odd > 'sub dir/deep/-dash'
: > nothing
ln -s file link
ln -s 'sub dir/deep' 'link to dir'
ln file 'second name'
touch -d @1000000000 file
long=$(head -c 200 /dev/zero | tr '\\0' n)
mkdir -p "$long/$long"; printf deep > "$long/$long/file"
cp ../random-100k .
"""


@scenario(
    "A directory arrives with its links, modes, empty directories and long names",
    shows={"plain/results": "SUCCESS", "gz/results": "SUCCESS", "bz2/results": "SUCCESS"},
)
def directory_upload(at):
    return [
        sh(f"cp {at.inputs}/random-100k .", "inputs"),
        sh(TREE, "prepare"),
        upload_tree(at, "tree", "plain", "plain"),
        upload_tree(at, "tree", "gz", "gz", compress="gz"),
        upload_tree(at, "tree", "bz2", "bz2", compress="bz2"),
        upload_tree(at, "tree/", "slash", "trailing slash"),
        upload_tree(at, "tree/empty", "empty", "empty directory"),
        upload_tree(at, "tree", "blocks", "large blocks", blocksize=640 * 1024),
        upload_tree(at, "missing", "missing", "missing"),
        upload_tree(at, "tree/file", "a-file", "a file"),
    ]


def limited_wait(stage):
    """Python's worker never ends some transfers that the master refuses."""
    stage.force()
    stage.finish_or_give_up(45)


@scenario("A directory that is larger than allowed fails", drive=limited_wait, ends=None)
def directory_upload_limited(at):
    return [
        sh(f"mkdir tree; cp {at.inputs}/random-100k tree", "prepare"),
        upload_tree(at, "tree", "limited", "too big", maxsize=20_000),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]


@scenario("A directory with a dangling link, and one with names that are not UTF-8")
def directory_upload_odd(at):
    return [
        sh(
            "mkdir dangling; ln -s nowhere dangling/link; echo x > dangling/file",
            "prepare dangling",
        ),
        upload_tree(at, "dangling", "dangling", "dangling"),
        sh(
            "mkdir bytes; printf x > \"bytes/$(printf 'a\\377b')\"; ls bytes | od -c",
            "prepare bytes",
        ),
        upload_tree(at, "bytes", "bytes", "bytes"),
        sh("mkdir pipe; mkfifo pipe/fifo; echo x > pipe/file", "prepare a pipe"),
        upload_tree(at, "pipe", "pipe", "pipe"),
    ]


@scenario(
    "A step reads a file of the worker into the master's memory",
    shows={"text/log:content": "second line with", "missing/log:content": "^none$"},
)
def file_content(at):
    return [
        sh(f"cp {at.inputs}/text {at.inputs}/empty .; seq 20000 > numbers", "prepare"),
        ShowContent("text", name="text"),
        ShowContent("empty", name="empty"),
        ShowContent("numbers", name="numbers"),
        ShowContent("missing", name="missing"),
    ]


@scenario("A text whose characters lie across the borders of blocks", drive=limited_wait, ends=None)
def file_content_across_blocks(at):
    return [
        sh("i=0; while [ $i -lt 20000 ]; do printf '€'; i=$((i+1)); done > euros", "prepare"),
        ShowContent("euros", name="euros"),
        sh(["echo", "still working"], "after", alwaysRun=True),
    ]
