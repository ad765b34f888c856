"""Build steps of the scenarios' own: short forms, and steps that show what a command answered."""

import pprint

from buildbot.plugins import steps
from buildbot.process import buildstep, remotecommand
from buildbot.process.results import FAILURE, SUCCESS
from buildbot.steps.worker import CompositeStepMixin
from twisted.internet import defer

# Every program of a scenario is ended by this if nothing else ends it.
IDLE_SECONDS = 60


def sh(command, name, **arguments):
    """A shell step that never stops the build, so that the steps after it run too."""
    arguments.setdefault("logEnviron", False)
    arguments.setdefault("timeout", IDLE_SECONDS)
    arguments.setdefault("haltOnFailure", False)
    arguments.setdefault("flunkOnFailure", False)
    return steps.ShellCommand(command=command, name=name, **arguments)


def tolerant(step_class, *arguments, **keywords):
    """A step of Buildbot's whose failure neither ends nor fails the build."""
    return step_class(*arguments, haltOnFailure=False, flunkOnFailure=False, **keywords)


class Ask(buildstep.BuildStep):
    """Sends one worker command with exactly these arguments, and shows rc and updates in a log."""

    def __init__(self, command, arguments, **keywords):
        keywords.setdefault("flunkOnFailure", False)
        super().__init__(**keywords)
        self.command = command
        self.arguments = arguments

    @defer.inlineCallbacks
    def run(self):
        remote = remotecommand.RemoteCommand(self.command, self.arguments)
        log = yield self.addLog("stdio")
        remote.useLog(log, False)  # the step closes it; a master 2.10 would do so twice
        yield self.runCommand(remote)
        yield self.addCompleteLog("answer", f"rc: {remote.rc}\n" + shown_updates(remote.updates))
        return FAILURE if remote.didFail() else SUCCESS


def shown_updates(updates):
    """The updates kind by kind, without the numbers that no two runs share."""
    lines = []
    for kind in sorted(updates):
        values = updates[kind]
        if kind == "elapsed":
            values = [type(each).__name__ for each in values]
        if kind == "stat":
            values = [shown_stat(each) for each in values]
        if kind == "files":
            values = [sorted(each) for each in values]
        lines.append(f"{kind}: {pprint.pformat(values, width=110)}\n")
    return "".join(lines)


def shown_stat(numbers):
    """Mode, number of links and size; and that the rest are whole numbers that can be true."""
    mode, inode, device, links, uid, gid, size, *times = numbers
    plausible = all(type(each) is int for each in numbers) and inode > 0 and len(times) == 3
    recent = all(each > 1_700_000_000 for each in times)
    return f"mode {mode:06o}, {links} links, {size} bytes, plausible {plausible}, recent {recent}"


class AskAtOnce(buildstep.BuildStep):
    """Sends several worker commands without waiting in between, and shows what each answered.

    Buildbot does so too, for the patterns of MultipleFileUpload.
    """

    def __init__(self, commands, **keywords):
        super().__init__(**keywords)
        self.commands = commands

    @defer.inlineCallbacks
    def run(self):
        remotes = [remotecommand.RemoteCommand(name, each) for name, each in self.commands]
        yield defer.gatherResults([self.runCommand(each) for each in remotes])
        lines = [f"rc: {each.rc}\n" + shown_updates(each.updates) for each in remotes]
        yield self.addCompleteLog("answers", "".join(lines))
        return SUCCESS


class SecretShell(buildstep.BuildStep):
    """A shell command whose words may be obfuscated, as the svn and p4 steps send them."""

    def __init__(self, words, **keywords):
        super().__init__(**keywords)
        self.words = words

    @defer.inlineCallbacks
    def run(self):
        remote = remotecommand.RemoteShellCommand(
            "build", self.words, logEnviron=False, timeout=IDLE_SECONDS
        )
        log = yield self.addLog("stdio")
        remote.useLog(log, False)  # the step closes it; a master 2.10 would do so twice
        yield self.runCommand(remote)
        return remote.results()


class ShowContent(buildstep.BuildStep, CompositeStepMixin):
    """Fetches a file's text as source steps do, and shows it in the log `content`."""

    def __init__(self, path, **keywords):
        super().__init__(**keywords)
        self.path = path

    @defer.inlineCallbacks
    def run(self):
        self.workdir = "build"
        yield self.addLogForRemoteCommands("stdio")
        content = yield self.getFileContentFromWorker(self.path)
        yield self.addCompleteLog("content", "none\n" if content is None else f"{content!r}\n")
        return SUCCESS


class ShowWorker(buildstep.BuildStep):
    """Shows what the worker told about itself when it attached."""

    @defer.inlineCallbacks
    def run(self):
        told = dict(self.worker.conn.info)
        environ = told.pop("environ", {})
        commands = told.pop("worker_commands", {})
        lines = [f"{name}: {told[name]!r}\n" for name in sorted(told)]
        lines += [f"command {name}: {commands[name]!r}\n" for name in sorted(commands)]
        lines += [f"environ {name}: {environ[name]!r}\n" for name in sorted(environ)]
        yield self.addCompleteLog("worker", "".join(lines))
        return SUCCESS
