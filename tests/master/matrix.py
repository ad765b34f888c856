"""Runs scenarios on every master over every transport, and prints which hold where.

Called by `ci/master.sh all`. What went well is stored, so that a run that was stopped, or that found
something wrong, goes on with what is left.
"""

import argparse
import collections
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import combination, report, scenario, settings  # noqa: E402
from harness.match import Match  # noqa: E402
from run import choose, to_stderr  # noqa: E402

# What `--short` runs: each way in which masters and transports differ, and nothing slow.
SHORT = [
    "success",
    "failure",
    "words",
    "environment",
    "two-streams",
    "encodings",
    "asked-to-end",
    "interrupt",
    "logfiles",
    "file-upload",
    "directory-upload",
    "file-download",
    "list-and-glob",
    "refused-commands",
    "git",
    "two-builders",
    "worker-information",
    "master-restarted",
]

LEGEND = {
    report.OK: "both workers did the same",
    report.DIFFERENT: "they differ as differences.toml and limits.toml list it",
    report.MASTER_FAILS: "the master fails with any worker, as limits.toml lists it",
    report.CANNOT: "the master cannot express it, as limits.toml lists it",
    report.FAILED: "something is wrong",
}


def options():
    parser = argparse.ArgumentParser(
        prog="ci/master.sh all", description=__doc__.split("\n", 1)[0]
    )
    parser.add_argument("scenarios", nargs="*", help="names of scenarios; all if none is given")
    parser.add_argument("--short", action="store_true", help="a selection of scenarios")
    parser.add_argument("--others", action="store_true", help="not the default, 4.3.0 over pb")
    parser.add_argument(
        "--transport", action="append", choices=combination.TRANSPORTS, help="only these"
    )
    parser.add_argument("--master", action="append", choices=combination.MASTERS, help="only these")
    parser.add_argument("--only", choices=["theirs"], help="run Python's worker only")
    parser.add_argument("--fresh", action="store_true", help="do not use stored results")
    settings.add_worker_option(parser)
    parser.add_argument("-j", "--jobs", type=int, default=8, help="scenarios at the same time (8)")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what happens meanwhile")
    return parser.parse_args()


def choose_columns(chosen_options):
    """The combinations that are asked for."""
    return [
        each
        for each in combination.every()
        if (not chosen_options.transport or each.transport in chosen_options.transport)
        and (not chosen_options.master or each.master in chosen_options.master)
        and not (chosen_options.others and each == combination.DEFAULT)
    ]


def run_column(match, chosen, chosen_options):
    """Runs and judges the scenarios on one combination."""
    can = match.can(chosen)
    fresh = chosen_options.fresh
    theirs_cache = match.cache("theirs")
    theirs = match.run("theirs", can, None if fresh else theirs_cache)
    match.store_theirs(theirs_cache, can, theirs)
    ours = {}
    if chosen_options.only != "theirs":
        ours_cache = match.cache("ours")
        ours = match.run("ours", can, None if fresh else ours_cache)
    judged = [match.judge(each, theirs.get(each.name), ours.get(each.name)) for each in chosen]
    for each in judged:
        if each.ours and each.word != report.FAILED:
            ours_cache.put(each.scenario, each.ours)
    return judged


def say_column(column, judged, seconds):
    """Prints how many there are of each word, and what is wrong."""
    counts = collections.Counter(each.word for each in judged)
    words = ", ".join(f"{counts[word]} {LEGEND_WORDS[word]}" for word in LEGEND if counts[word])
    print(f"{column.transport:11} {column.master:7} {seconds:5.0f} s  {words}", flush=True)
    for each in judged:
        if each.word == report.FAILED:
            print(f"  {each.scenario.name}")
            for line in each.lines:
                print(f"  {line}", flush=True)


LEGEND_WORDS = {word: "not possible" if word == report.CANNOT else word for word in LEGEND}


def say_reasons(results):
    """Prints why a master fails or cannot, each reason once."""
    reasons = collections.defaultdict(set)
    for judged in results.values():
        for each in judged:
            if each.word in (report.MASTER_FAILS, report.CANNOT):
                reasons[each.lines[-1].strip()].add(each.scenario.name)
    for reason, names in reasons.items():
        print(f"{', '.join(sorted(names))}: {reason}")


def main():
    chosen_options = options()
    known = scenario.load()
    chosen = choose(known, chosen_options.scenarios or (SHORT if chosen_options.short else []))
    columns = choose_columns(chosen_options)
    began = time.monotonic()
    results, ran = {}, 0
    for column in columns:
        column_began = time.monotonic()
        say = to_stderr if chosen_options.verbose else None
        match = Match(column, known, chosen_options.worker, chosen_options.jobs, say)
        results[column] = run_column(match, chosen, chosen_options)
        ran += match.ran
        say_column(column, results[column], time.monotonic() - column_began)
    words = {
        (each.scenario.name, column): each.word for column in columns for each in results[column]
    }
    print()
    for line in report.table([each.name for each in chosen], columns, words):
        print(line)
    print()
    for word in LEGEND:
        print(f"{report.SHORT[word]:10} {LEGEND[word]}")
    print()
    say_reasons(results)
    failed = sum(word == report.FAILED for word in words.values())
    print(f"ran {ran} scenarios in {time.monotonic() - began:.0f} s; the other results were stored")
    print(f"{len(words) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    settings.run_alone(main)
