"""Commands that make, remove, copy and look at files on the worker."""

from buildbot.plugins import steps

from harness.scenario import scenario
from steps import Ask, AskAtOnce, sh, tolerant

TREE = "LC_ALL=C find . -printf '%y %m %p -> %l\\n' | LC_ALL=C sort -k3"
# A name that is not UTF-8, made by the shell.
BYTES = "$(printf 'a\\377b')"
ODD_NAMES = ["with space", "new\nline", "ünï €", "-dash", "quote'\"", "*"]


@scenario(
    "Directories are made, with those above them",
    shows={"on a file/log:answer": r"^rc: 17$", "new/log:answer": r"^rc: 0$"},
)
def make_directory(at):
    return [
        tolerant(steps.MakeDirectory, dir="build/by/a step", name="step"),
        Ask("mkdir", {"dir": "build/new"}, name="new"),
        Ask("mkdir", {"dir": "build/new"}, name="again"),
        Ask("mkdir", {"dir": "build/a/b/c"}, name="deep"),
        Ask("mkdir", {"dir": "build/trailing/"}, name="trailing slash"),
        Ask("mkdir", {"dir": "build/x/../y"}, name="dots"),
        Ask("mkdir", {"dir": str(at.work / "outside")}, name="absolute"),
        Ask("mkdir", {"dir": "build/~"}, name="tilde"),
        *[
            Ask("mkdir", {"dir": f"build/odd/{name}"}, name=f"odd {number}")
            for number, name in enumerate(ODD_NAMES)
        ],
        sh("echo x > file; mkdir locked; chmod 555 locked", "prepare"),
        Ask("mkdir", {"dir": "build/file"}, name="on a file"),
        tolerant(steps.MakeDirectory, dir="build/file", name="step on a file"),
        Ask("mkdir", {"dir": "build/file/below"}, name="below a file"),
        Ask("mkdir", {"dir": "build/locked/new"}, name="not allowed"),
        Ask("mkdir", {"dir": "build/" + "n" * 300}, name="name too long"),
        sh(TREE, "seen"),
    ]


@scenario(
    "Trees are removed, and what is missing is fine",
    shows={"step/results": "SUCCESS", "seen/log:stdio": "^od 755 \\./kept -> $"},
)
def remove_directory(at):
    quiet = {"logEnviron": False}
    make = (
        "mkdir -p one/two three/four locked/in/side kept 'odd/with space' odd/ünï six seven\n"
        f'echo x > one/two/file; echo x > locked/in/side/file; echo x > "odd/{BYTES}"; echo x > five\n'
        "ln -s ../kept one/link; ln -s kept link-to-kept; echo x > kept/file; ln -s nowhere dangling\n"
        "chmod 555 locked/in/side locked/in locked"
    )
    return [
        sh(make, "prepare", workdir="."),
        tolerant(steps.RemoveDirectory, dir="one", name="step"),
        Ask("rmdir", {"dir": ["three", "six"], **quiet}, name="list"),
        Ask("rmdir", {"dir": "missing", **quiet}, name="missing"),
        Ask("rmdir", {"dir": "five", **quiet}, name="a file"),
        Ask("rmdir", {"dir": "link-to-kept", **quiet}, name="a link"),
        Ask("rmdir", {"dir": "dangling", **quiet}, name="a dangling link"),
        Ask("rmdir", {"dir": "odd", **quiet}, name="odd names"),
        Ask("rmdir", {"dir": "locked", **quiet}, name="read only"),
        Ask(
            "rmdir",
            {"dir": ["missing", "seven"], "timeout": 30, "maxTime": 60, **quiet},
            name="limits",
        ),
        sh(TREE, "seen", workdir="."),
    ]


@scenario("What cannot be removed gives a failure", shows={"not allowed/results": "FAILURE"})
def remove_directory_impossible(at):
    quiet = {"logEnviron": False}
    return [
        sh("mkdir gone", "prepare", workdir="."),
        Ask("rmdir", {"dir": "/proc/version", **quiet}, name="not allowed"),
        Ask("rmdir", {"dir": ["/proc/version", "gone"], **quiet}, name="one of two"),
        sh("ls", "seen", workdir="."),
    ]


@scenario(
    "Trees are copied with links, modes and times",
    shows={"missing/results": "FAILURE", "step/results": "SUCCESS"},
)
def copy_directory(at):
    quiet = {"logEnviron": False}
    make = (
        "mkdir -p from/sub/empty 'from/with space'; echo x > from/file; chmod 755 from/file\n"
        "ln -s file from/link; ln -s nowhere from/dangling; touch -d @1000000000 from/file\n"
        "echo secret > from/sub/key; chmod 600 from/sub/key; chmod 700 from/sub; mkdir target; echo x > single"
    )
    return [
        sh(make, "prepare", workdir="."),
        tolerant(steps.CopyDirectory, src="from", dest="step", name="step"),
        Ask("cpdir", {"fromdir": "from/sub", "todir": "copy", **quiet}, name="copy"),
        Ask(
            "cpdir", {"fromdir": "from/sub", "todir": "new/deep/copy", **quiet}, name="new parents"
        ),
        Ask("cpdir", {"fromdir": "from/sub", "todir": "target", **quiet}, name="existing target"),
        Ask("cpdir", {"fromdir": "missing", "todir": "never", **quiet}, name="missing"),
        tolerant(steps.CopyDirectory, src="missing", dest="never", name="step missing"),
        Ask("cpdir", {"fromdir": "from/with space", "todir": "to ünï", **quiet}, name="odd names"),
        Ask("cpdir", {"fromdir": "single", "todir": "single copy", **quiet}, name="a file"),
        sh(TREE, "seen", workdir="."),
        sh("stat -c '%Y' step/file", "time", workdir="."),
    ]


@scenario("The removal shows its command and environment when asked")
def removal_header(at):
    return [
        sh("mkdir a", "prepare", workdir="."),
        Ask("rmdir", {"dir": "a"}, name="with environment"),
    ]


@scenario("A copy of a large tree keeps to its order", shows={"copy/results": "SUCCESS"})
def copy_large_tree(at):
    make = "for i in 1 2 3 4 5; do mkdir -p from/$i; (cd from/$i; seq 200 | xargs touch); done"
    return [
        sh(make, "prepare", workdir="."),
        tolerant(steps.CopyDirectory, src="from", dest="to", name="copy"),
        sh("find to -type f | wc -l", "seen", workdir="."),
        tolerant(steps.RemoveDirectory, dir="to", name="remove"),
    ]


@scenario(
    "Files are looked at",
    shows={
        "file/log:answer": r"mode 100644, 1 links, 2 bytes, plausible True, recent True",
        "missing/log:answer": r"^rc: 2$",
        "step missing/results": "FAILURE",
    },
)
def look_at_files(at):
    make = "echo x > file; ln -s file link; ln -s nowhere dangling; mkdir -p dir locked/in; chmod 000 locked"
    return [
        sh(make, "prepare"),
        tolerant(steps.FileExists, file="build/file", name="step"),
        tolerant(steps.FileExists, file="build/dir", name="step directory"),
        tolerant(steps.FileExists, file="build/missing", name="step missing"),
        Ask("stat", {"file": "build/file"}, name="file"),
        Ask("stat", {"file": "build/link"}, name="link"),
        Ask("stat", {"file": "build/dangling"}, name="dangling"),
        Ask("stat", {"file": "build/missing"}, name="missing"),
        Ask("stat", {"file": "file", "workdir": "build"}, name="work directory"),
        Ask("stat", {"file": "build/file/below"}, name="below a file"),
        Ask("stat", {"file": "build/locked/in"}, name="not allowed"),
        Ask("stat", {"file": "build/ünï"}, name="odd missing"),
        Ask(
            "stat",
            {"file": "build/file", "logEnviron": False, "unknown": 3},
            name="unknown argument",
        ),
        sh("chmod 755 locked", "unlock"),
    ]


@scenario(
    "Directories are listed, and files found by patterns",
    shows={"list/log:answer": r"'with space'", "list missing/log:answer": r"^rc: 2$"},
)
def list_and_glob(at):
    script = (
        "mkdir -p d/e/f .hid 'with space'; for i in a.txt b.txt c.log .hidden.txt d/d.txt d/e/f/f.txt '[x].txt'"
        ' .hid/h.txt; do : > "$i"; done; ln -s nowhere dangling.txt; ln -s d linked; : > ünï.txt'
    )

    def find(pattern, name):
        return Ask("glob", {"path": f"build/{pattern}"}, name=name)

    return [
        sh(script, "prepare"),
        Ask("listdir", {"dir": "build"}, name="list"),
        Ask("listdir", {"dir": "build/with space"}, name="list empty"),
        Ask("listdir", {"dir": "build/missing"}, name="list missing"),
        Ask("listdir", {"dir": "build/a.txt"}, name="list a file"),
        find("*.txt", "star"),
        find("?.txt", "question mark"),
        find("[ab].txt", "set"),
        find("[!a].txt", "not in set"),
        find("[[]x].txt", "quoted bracket"),
        find("*/*.txt", "two levels"),
        find("**/*.txt", "any depth"),
        find("**", "everything"),
        find(".*", "hidden"),
        find("*.none", "nothing"),
        find("a.txt", "no pattern"),
        find("missing", "no pattern missing"),
        find("d/", "trailing slash"),
        find("*/", "directories only"),
        find("../build/*.log", "dots"),
        Ask("glob", {"path": str(at.work / "list-and-glob/build/*.log")}, name="absolute"),
    ]


@scenario(
    "Quick commands that are sent together are all answered",
    seconds=60,
    shows={"at once/log:answers": ["/build/a.txt", "/build/b.log", "mode 100644", "'c'"]},
)
def commands_at_once(at):
    commands = [
        ("glob", {"path": "build/*.txt"}),
        ("glob", {"path": "build/*.log"}),
        ("stat", {"file": "build/a.txt"}),
        ("mkdir", {"dir": "build/d/e"}),
        ("listdir", {"dir": "build/c"}),
        ("rmfile", {"path": "build/b.log"}),
        ("stat", {"file": "build/missing"}),
    ]
    return [
        sh("mkdir -p c/c; : > a.txt; : > b.log", "prepare"),
        AskAtOnce(commands, name="at once"),
        sh("LC_ALL=C find . | LC_ALL=C sort", "seen"),
    ]


@scenario("Names that are not UTF-8 do not stop a listing or a pattern")
def names_not_utf8(at):
    return [
        sh(f'mkdir d; : > "d/{BYTES}"; : > d/plain; ls d | wc -l', "prepare"),
        Ask("listdir", {"dir": "build/d"}, name="list"),
        Ask("glob", {"path": "build/d/*"}, name="glob"),
        Ask("glob", {"path": "build/d/p*"}, name="glob plain"),
        tolerant(
            steps.CopyDirectory, src="build/d", dest="build/copy", name="copy", alwaysRun=True
        ),
        Ask("rmdir", {"dir": "build/d", "logEnviron": False}, name="remove", alwaysRun=True),
        sh("ls; ls copy | wc -l", "seen", alwaysRun=True),
    ]


@scenario(
    "Single files are removed",
    shows={"missing/log:answer": r"^rc: 2$", "file/log:answer": r"^rc: 0$"},
)
def remove_file(at):
    make = 'echo x > file; ln -s kept link; echo x > kept; mkdir dir locked; echo x > locked/file; chmod 555 locked; echo x > "$HOME/doomed"; echo x > "with space"'
    return [
        sh(make, "prepare"),
        Ask("rmfile", {"path": "build/file"}, name="file"),
        Ask("rmfile", {"path": "build/file"}, name="missing"),
        Ask("rmfile", {"path": "build/link"}, name="link"),
        Ask("rmfile", {"path": "build/dir"}, name="directory"),
        Ask("rmfile", {"path": "build/locked/file"}, name="not allowed"),
        Ask("rmfile", {"path": "build/with space"}, name="odd name"),
        Ask("rmfile", {"path": "~/doomed", "timeout": 3, "logEnviron": True}, name="home"),
        sh('chmod 755 locked; ls -A; ls "$HOME" | grep doomed', "seen"),
    ]
