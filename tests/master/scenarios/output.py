"""What of a program's output reaches the master, and in which form."""

from harness.scenario import scenario
from steps import sh


@scenario(
    "Standard output and standard error arrive in the order they were written",
    shows={"both/log:stdio": r"oone\netwo\nothree\nefour\n"},
)
def two_streams(at):
    pause = "; sleep 0.4; "
    words = ["echo one", "echo two >&2", "echo three", "echo four >&2"]
    return [
        sh(pause.join(words), "both"),
        sh("echo only errors >&2", "errors"),
        sh("printf 'half '; sleep 0.4; echo error >&2; sleep 0.4; echo line", "half a line"),
    ]


@scenario(
    "A stream that is not wanted is not sent",
    shows={
        "no output/log:stdio": "(?s)^((?!^oout).)*^eerror",
        "no errors/log:stdio": "(?s)^((?!^eerror).)*$",
    },
)
def unwanted_streams(at):
    talk = "echo out; sleep 0.3; echo error >&2"
    return [
        sh(talk, "no output", want_stdout=False),
        sh(talk, "no errors", want_stderr=False),
        sh(talk, "neither", want_stdout=False, want_stderr=False),
        # What is not wanted still shows that the program lives.
        sh(
            "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done",
            "alive",
            want_stdout=False,
            timeout=2,
        ),
    ]


@scenario("A last line without its end is delivered", shows={"last/log:stdio": "^olast$"})
def unfinished_last_line(at):
    return [
        sh("printf 'first\\nlast'", "last"),
        sh("printf x; printf y >&2", "both streams"),
        sh("printf ''", "nothing"),
        sh("printf '\\n'", "an empty line"),
        sh("printf '\\n\\n\\nx'", "empty lines"),
    ]


@scenario(
    "Bytes that are not UTF-8 are replaced, and characters split between writes are put together",
    shows={"split/log:stdio": "^oü€😀$", "invalid/log:stdio": "^oa\ufffdb$"},
)
def encodings(at):
    return [
        sh(["printf", "a\\377b\\n"], "invalid"),
        sh(
            ["printf", "\\300\\200 \\355\\240\\200 \\364\\220\\200\\200 \\342\\202x\\n"],
            "more invalid",
        ),
        sh(
            "printf '\\303'; sleep .3; printf '\\274\\342'; sleep .3; printf '\\202\\254\\360\\237';"
            " sleep .3; printf '\\230\\200\\n'",
            "split",
        ),
        sh(["printf", "cut at the end \\342\\202"], "cut"),
        sh(
            "printf 'error \\377\\n' >&2; printf 'error \\303' >&2; sleep .3; printf '\\274\\n' >&2",
            "errors",
        ),
        sh(["printf", "\\357\\273\\277mark\\n"], "byte order mark"),
        sh(["printf", "nul\\000here\\n"], "nul"),
        sh(
            ["printf", "line\\342\\200\\250separator next\\302\\205line form\\014feed\\n"],
            "other line ends",
        ),
    ]


@scenario(
    "Progress written with carriage returns, backspaces and cursor movements becomes lines",
    shows={"progress/log:stdio": r"o10%\no20%\n"},
)
def progress(at):
    return [
        sh(["printf", "10%%\\r20%%\\r30%%\\n"], "progress"),
        sh('for i in 1 2 3; do printf "step $i\\r"; sleep 0.3; done; echo done', "slow progress"),
        sh(["printf", "one\\r\\ntwo\\r\\n"], "dos lines"),
        sh(
            "printf 'one\\r'; sleep 0.3; printf '\\ntwo\\r'; sleep 0.3; printf 'three\\n'",
            "split dos lines",
        ),
        sh(["printf", "\\r\\r\\n"], "two returns"),
        sh(["printf", "ends in a return\\r"], "final return"),
        sh(["printf", "abc\\b\\b\\bxyz\\n"], "backspaces"),
        sh(["printf", "a\\033[ub\\033[2Jc\\033[1;2Hd\\033[3;4fe\\n"], "cursor"),
        sh("printf 'a\\033['; sleep 0.3; printf '2Jb\\n'", "split cursor"),
        sh(["printf", "\\033[31mred\\033[0m\\033[K\\n"], "colours stay"),
    ]


@scenario("Lines up to the limit are whole, and longer ones are cut")
def long_lines(at):
    lengths = (4094, 4095, 4096, 4097, 5000, 8191, 8192, 8193, 20000)
    make = f"for n in {' '.join(map(str, lengths))}; do {{ head -c $n /dev/zero | tr '\\0' x; echo; }} > $n; done"
    # cat writes each file with one call, so that nothing depends on who reads how much when.
    return [
        sh(make, "prepare"),
        *[sh(["cat", str(length)], f"line of {length}") for length in lengths],
        sh("{ echo before; cat 8193; echo after; } > mixed", "prepare mixed"),
        sh(["cat", "mixed"], "between others"),
    ]


@scenario("A single line of five million characters", seconds=300)
def one_line_of_5_mb(at):
    counted = "i=0; while [ $i -lt 500000 ]; do printf '%010d' $i; i=$((i+1)); done; echo"
    return [sh(counted, "five million", timeout=290)]


@scenario("Twenty thousand lines arrive all", seconds=300)
def many_lines(at):
    return [sh(["seq", "20000"], "lines"), sh("seq 5000 >&2", "errors")]


@scenario(
    "The program is ended when it has written more lines than allowed",
    shows={
        "too many/log:stdio": "^hcommand exceeds max lines: ",
        "too many/results": "FAILURE",
        "just enough/results": "SUCCESS",
    },
)
def line_limit(at):
    slow = "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.8; done; sleep 60"
    return [
        sh(["seq", "5"], "just enough", max_lines=5),
        sh(slow, "too many", max_lines=3),
        sh(slow.replace("echo line $i", "echo error $i >&2"), "too many errors", max_lines=3),
        sh("sleep 0.5; echo one; sleep 60", "none allowed", max_lines=0),
        sh(
            'for i in 1 2 3 4 5; do printf "$i\\r"; sleep 0.8; done; sleep 60',
            "returns count",
            max_lines=3,
        ),
    ]


@scenario(
    "A step lasts as long as a background child holds its output open",
    shows={"held open/log:stdio": "^ofrom the background$"},
)
def background_child(at):
    return [
        sh("(sleep 2; echo from the background) & echo main ends", "held open"),
        sh("sleep 2 >/dev/null 2>&1 & echo main ends", "let go"),
        sh("(sleep 60) & echo main ends; exit 3", "until the idle timeout", timeout=2),
    ]
