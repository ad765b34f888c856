"""Files that a shell step watches while its program runs."""

from harness.scenario import scenario
from steps import sh


@scenario(
    "A watched file becomes a log of the step",
    shows={
        "from the start/log:notes": r"^oone\notwo\nothree\n",
        "several/log:b": "^ofrom b$",
        "deep/log:notes": "^obelow$",
    },
)
def logfiles(at):
    slowly = (
        "echo one > notes.txt; sleep 3; echo two >> notes.txt; sleep 3; echo three >> notes.txt"
    )
    return [
        sh(slowly, "from the start", logfiles={"notes": "notes.txt"}),
        sh(
            "echo from a > a.txt; echo from b > b.txt; sleep 1",
            "several",
            logfiles={"a": "a.txt", "b": "b.txt"},
        ),
        sh("sleep 1", "never made", logfiles={"notes": "never.txt"}),
        sh("mkdir -p d; echo below > d/notes.txt", "deep", logfiles={"notes": "d/notes.txt"}),
        sh("echo old > old.txt; sleep 1.1", "prepare"),
        sh("sleep 3", "not changed", logfiles={"notes": "old.txt"}),
        sh("sleep 1; echo new >> old.txt", "changed", logfiles={"notes": "old.txt"}),
        sh("printf 'no end' > part.txt", "unfinished line", logfiles={"notes": "part.txt"}),
        sh(
            "printf 'a\\377b\\303' > odd.txt; sleep 3; printf '\\274\\r\\nnext\\n' >> odd.txt",
            "encodings",
            logfiles={"notes": "odd.txt"},
        ),
        sh("seq 30000 > big.txt", "a lot at the end", logfiles={"notes": "big.txt"}),
    ]


@scenario(
    "A followed file is shown from where it ended before",
    shows={"followed/log:notes": "(?s)^((?!old).)*later"},
)
def logfile_followed(at):
    follow = {"notes": {"filename": "notes.txt", "follow": True}}
    return [
        sh("seq 100 | sed s/^/old/ > notes.txt; sleep 1.1", "prepare"),
        sh(
            "sleep 0.5; echo first >> notes.txt; sleep 5; echo later >> notes.txt; sleep 3",
            "followed",
            logfiles=follow,
        ),
        sh("sleep 1; echo last >> notes.txt", "at the very end", logfiles=follow),
    ]


@scenario("A watched file keeps a silent program alive", shows={"alive/results": "SUCCESS"})
def logfile_as_sign_of_life(at):
    talk = "for i in 1 2 3 4; do sleep 2; echo $i >> notes.txt; done"
    return [sh(talk, "alive", timeout=6, logfiles={"notes": "notes.txt"})]


@scenario("A watched file that is cut, replaced or removed while the program runs")
def logfile_rotated(at):
    watched = {"notes": "notes.txt"}
    return [
        sh(
            "echo first text > notes.txt; sleep 5; echo second > notes.txt; sleep 5; echo third >> notes.txt",
            "cut",
            logfiles=watched,
        ),
        sh("rm -f notes.txt", "clear"),
        sh(
            "echo first > notes.txt; sleep 5; mv notes.txt notes.1; echo second > notes.txt; sleep 5;"
            " echo third >> notes.txt",
            "rotated",
            logfiles=watched,
        ),
        sh("echo old > notes.txt; sleep 1.1", "prepare"),
        sh(
            "sleep 3; rm notes.txt; sleep 3; echo new > notes.txt; sleep 3",
            "removed and made again",
            logfiles=watched,
        ),
    ]
