"""Standard input and pseudo terminals."""

from harness.scenario import scenario
from steps import sh


@scenario(
    "Standard input holds the given text and then ends; without text it is empty",
    shows={"text/log:stdio": ["^h writing 11 bytes to stdin$", "^ohello$"]},
)
def standard_input(at):
    return [
        sh(["cat"], "text", initialStdin="hello\nthere"),
        sh(["cat"], "nothing"),
        sh(["cat"], "empty text", initialStdin=""),
        sh(["wc", "-c"], "beyond ASCII", initialStdin="ü€"),
        sh(["wc", "-c"], "a lot", initialStdin="0123456789" * 20_000),
        sh(["true"], "not read", initialStdin="nobody reads this\n"),
        sh(["true"], "a lot not read", initialStdin="0123456789" * 20_000),
        sh("exec <&-; sleep 0.3; echo closed it", "closed", initialStdin="0123456789" * 20_000),
    ]


@scenario(
    "With a terminal the program sees one, and errors arrive as output",
    shows={
        "terminal/log:stdio": ["^h using PTY: True$", "^ostdin yes$", "^ostdout yes$"],
        "stdin wins/log:stdio": "WARNING: disabling usePTY for this command",
    },
)
def terminal(at):
    ask = (
        "for n in 0 1 2; do case $n in 0) w=stdin;; 1) w=stdout;; 2) w=stderr;; esac;"
        " if [ -t $n ]; then echo $w yes; else echo $w no; fi; done"
    )
    return [
        sh(ask, "terminal", usePTY=True),
        sh(ask, "no terminal", usePTY=False),
        sh(ask, "stdin wins", usePTY=True, initialStdin="text\n"),
        sh("echo out; sleep 0.3; echo error >&2", "errors", usePTY=True),
        sh("exit 7", "status", usePTY=True),
        sh("kill -9 $$", "killed", usePTY=True),
        sh("printf 'no end'", "unfinished line", usePTY=True),
        sh("printf 'a\\tb\\n'; printf 'raw\\r\\n'", "line ends", usePTY=True),
        sh("sleep 60", "idle", usePTY=True, timeout=2),
        sh("echo a; sleep 60", "asked to end", usePTY=True, timeout=2, sigtermTime=2),
        sh("stty size; tty >/dev/null && echo a tty; echo TERM=$TERM", "size", usePTY=True),
    ]
