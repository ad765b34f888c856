"""What is typed and printed: our program, called as `buildbot-worker`, beside Python's."""

import ast
import re
import stat
import subprocess

from life.boat import check

# For every option each way to write it; {d} is the directory.
CREATED_ALIKE = [
    "create-worker {d} host name pass",
    "create-worker {d} host:1234 name pass",
    "create-worker {d} [::1]:1234 name pass",
    "create-worker {d} [::1] name pass",
    "create-worker -f -r -n {d} host name pass",
    "create-worker -frn {d} host name pass",
    "create-worker --force --relocatable --no-logrotate {d} host name pass",
    "create-worker -q {d} host name pass",
    "create-worker --quiet {d} host name pass",
    "create-worker --use-tls {d} host name pass",
    "create-worker --delete-leftover-dirs {d} host name pass",
    "create-worker -k 7 {d} host name pass",
    "create-worker -k7 {d} host name pass",
    "create-worker --keepalive=7 {d} host name pass",
    "create-worker --keepalive 7 {d} host name pass",
    "create-worker --keepalive=0 {d} host name pass",
    "create-worker --umask=0o22 {d} host name pass",
    "create-worker --umask 18 {d} host name pass",
    "create-worker --umask=0 {d} host name pass",
    "create-worker --umask=None {d} host name pass",
    "create-worker --maxdelay=5 {d} host name pass",
    "create-worker --maxretries=5 {d} host name pass",
    "create-worker --maxretries=None {d} host name pass",
    "create-worker --numcpus=5 {d} host name pass",
    "create-worker -s 5000 -l 3 {d} host name pass",
    "create-worker --log-size=5000 --log-count=None {d} host name pass",
    "create-worker -a signal {d} host name pass",
    "create-worker --allow-shutdown=file {d} host name pass",
    "create-worker --protocol=msgpack_experimental_v7 {d} host name pass",
    "create-worker --protocol=frob {d} host name pass",
    "create-worker --connection-string=tcp:h:1 {d} host name pass",
    "create-worker --proxy-connection-string=tcp:p:1 {d} host name pass",
    "create-worker {d} host na'me pa\"ss",
    "create-worker {d} host name -secret",
]

REFUSED_ALIKE = [
    "",
    "frob",
    "upgrade-worker {d}",
    "--frob",
    "start --frob",
    "start a b",
    "stop a b",
    "restart a b",
    "stop --quiet=1 {d}",
    "create-worker",
    "create-worker {d}",
    "create-worker {d} host name",
    "create-worker {d} host name pass more",
    "create-worker -k",
    "create-worker --max=1 {d} host name pass",
    "create-worker --frob {d} host name pass",
    "create-worker -k x {d} host name pass",
    "create-worker --maxdelay=x {d} host name pass",
    "create-worker --log-size=x {d} host name pass",
    "create-worker --log-count=x {d} host name pass",
    "create-worker --umask=022 {d} host name pass",
    "create-worker --umask=x {d} host name pass",
    "create-worker --maxretries=x {d} host name pass",
    "create-worker --numcpus=x {d} host name pass",
    "create-worker --allow-shutdown=x {d} host name pass",
    "create-worker {d} http://host name pass",
    "create-worker {d} host:port name pass",
    "create-worker {d} ::1 name pass",
]

HELPED_ALIKE = ["", "create-worker", "start", "stop", "restart"]


class Side:
    """One of the two programs, with a place of its own."""

    def __init__(self, program, home):
        self.program = program
        self.home = home
        self.place = home / "w"
        home.mkdir()

    def run(self, words, directory=None):
        """The exit status and what was printed, with our names in place of the program's and the place's."""
        directory = str(directory or self.place)
        argv = [self.program, *(word.replace("{d}", directory) for word in words.split())]
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8"}
        done = subprocess.run(argv, env=env, cwd=self.home, capture_output=True, text=True, timeout=60)
        shown = []
        for text in (done.stdout, done.stderr):
            text = text.replace(str(self.program), "PROGRAM").replace("buildbot-worker:", "PROGRAM:")
            shown.append(text.replace(str(self.home), "HOME"))
        return done.returncode, *shown

    def files(self):
        """What lies in the place: modes, and what the files say."""
        found = {}
        for path in sorted(self.place.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            text = path.read_text() if path.is_file() else ""
            if path.name.startswith("buildbot.tac"):
                log = "LogFile" in text
                text = {**assignments(text), "marker": "Application('buildbot-worker')" in text}
                if not log:
                    # Theirs has them all the same, and nobody uses them.
                    text = {name: text[name] for name in text.keys() - {"rotateLength", "maxRotatedFiles"}}
                if str(text.get("basedir")).startswith(str(self.home)):
                    text["basedir"] = "HOME"
            found[str(path.relative_to(self.place))] = (f"{mode:o}", text)
        return found


def assignments(text):
    """The names that a file gives a literal."""
    values = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            try:
                values[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                pass
    return values


def same(what, theirs, ours):
    check(theirs == ours, f"{what}\n  theirs: {str(theirs)[:500]}\n  ours:   {str(ours)[:500]}")


def created(sides, number, words):
    for side in sides:
        side.place = side.home / f"w{number}"
    for again in ("", " again"):
        same(words + again, *[side.run(words) for side in sides])
        same(f"files of {words}{again}", *[side.files() for side in sides])
    changed = words.replace("host", "elsewhere")
    same(changed, *[side.run(changed) for side in sides])
    same(f"files of {changed}", *[side.files() for side in sides])


def refused(sides, words):
    """The status, and where the reason stands; the words are each program's own."""
    shapes = []
    for side in sides:
        status, out, err = side.run(words)
        shape = re.match(r"PROGRAM:  .+\n\nUsage:.*", out)
        shapes.append((status, bool(shape), err))
    same(f"`{words}`", *shapes)
    check(shapes[0] == (1, True, ""), f"`{words}`: {shapes[0]}")


def helped(sides, command):
    """Every option and command of theirs is among ours."""
    names = []
    for side in sides:
        status, out, err = side.run(f"{command} --help")
        check(status == 0 and not err, f"`{command} --help` ended with {status}: {err}")
        options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", out))
        names.append(options | set(re.findall(r"^ {2,4}([a-z-]+)  ", out, re.M)))
    # Short forms that their parser adds to every command.
    missing = names[0] - names[1] - {"-h", "--version"}
    check(not missing, f"`{command} --help` does not name {sorted(missing)}")


def in_directories(sides):
    """Commands on directories that are none, on one where nothing runs, and on a stale pid file."""
    for side in sides:
        side.place = side.home / "gone"
    for command in ("start", "stop", "restart"):
        same(command, *[side.run(f"{command} {{d}}") for side in sides])
    for side in sides:
        (side.home / "other").mkdir()
        (side.home / "other" / "buildbot.tac").write_text("x = 1\n")
        side.place = side.home / "other"
    for command in ("start", "stop", "restart"):
        same(command, *[side.run(f"{command} {{d}}") for side in sides])
    for side in sides:
        side.place = side.home / "w0"
    for words in ("stop {d}", "stop -q {d}", "stop --quiet {d}"):
        same(words, *[side.run(words) for side in sides])
    dead = subprocess.Popen(["true"])
    dead.wait()
    for words in ("stop {d}", "stop -q {d}"):
        for side in sides:
            (side.place / "twistd.pid").write_text(str(dead.pid))
        same(f"{words} with a stale pid file", *[side.run(words) for side in sides])


def versions(sides):
    for command in ("", "start", "stop", "restart"):
        for side in sides:
            status, out, err = side.run(f"{command} --version")
            check(status == 0 and re.search(r"version: \d+\.\d+", out), f"{command} --version: {out}{err}")


def command_line(stage):
    home = stage.scene.root / "command-line"
    home.mkdir()
    ours = home / "buildbot-worker"
    ours.symlink_to(stage.scene.program[0])
    sides = [
        Side(stage.scene.venv / "bin/buildbot-worker", home / "theirs"),
        Side(ours, home / "ours"),
    ]
    for number, words in enumerate(CREATED_ALIKE):
        created(sides, number, words)
    for words in REFUSED_ALIKE:
        refused(sides, words)
    for command in HELPED_ALIKE:
        helped(sides, command)
    in_directories(sides)
    versions(sides)
    count = len(CREATED_ALIKE) * 3 + len(REFUSED_ALIKE) + len(HELPED_ALIKE)
    return f"{count} command lines and what they made"
