"""Runs scenarios on a real Buildbot master with Python's worker, then with ours, and compares.

Called by ci/master.sh with the Python of the virtual environment that setup.sh makes.
"""

import argparse
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import report, scenario, settings  # noqa: E402
from harness.combination import DEFAULT, MASTERS, TRANSPORTS, Combination  # noqa: E402
from harness.errors import Trouble  # noqa: E402
from harness.match import Match  # noqa: E402


def options():
    parser = argparse.ArgumentParser(prog="ci/master.sh", description=__doc__.split("\n", 1)[0])
    parser.add_argument("scenarios", nargs="*", help="names of scenarios; all if none is given")
    parser.add_argument("--list", action="store_true", help="show the scenarios and what they say")
    parser.add_argument("--only", choices=["theirs", "ours"], help="run one side only")
    parser.add_argument(
        "--master", choices=MASTERS, default=DEFAULT.master, help="version of the master (4.3.0)"
    )
    parser.add_argument(
        "--transport", choices=TRANSPORTS, default=DEFAULT.transport, help="way to the master (pb)"
    )
    settings.add_worker_option(parser)
    parser.add_argument("--fresh", action="store_true", help="do not use stored results of theirs")
    parser.add_argument("-j", "--jobs", type=int, default=8, help="scenarios at the same time (8)")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what happens meanwhile")
    parser.add_argument("--differences", type=Path, default=HERE / "differences.toml")
    parser.add_argument("--limits", type=Path, default=HERE / "limits.toml")
    return parser.parse_args()


def choose(known, names):
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Trouble(f"no such scenario: {', '.join(unknown)}; --list shows them")
    return [known[name] for name in names] if names else list(known.values())


def to_stderr(text):
    print(text, file=sys.stderr, flush=True)


def show(judged):
    """Prints one line for each scenario and what is to be said about it."""
    width = max(len(each.scenario.name) for each in judged)
    print(f"{'':12} {'':{width}}  theirs    ours")
    for each in judged:
        print(report.scenario_line(each.scenario, each.word, each.theirs, each.ours, width))
        for line in each.lines:
            print(line)


def main():
    chosen_options = options()
    known = scenario.load()
    if chosen_options.list:
        for each in known.values():
            print(f"{each.name:32} {each.says}")
        return 0
    chosen = choose(known, chosen_options.scenarios)
    combination = Combination(chosen_options.transport, chosen_options.master)
    say = to_stderr if chosen_options.verbose else None
    match = Match(combination, known, chosen_options.worker, chosen_options.jobs, say)
    match.read_lists(chosen_options.differences, chosen_options.limits)
    can = match.can(chosen)
    began = time.monotonic()
    theirs, ours = {}, {}
    if chosen_options.only != "ours":
        cache = match.cache("theirs")
        theirs = match.run("theirs", can, None if chosen_options.fresh else cache)
        match.store_theirs(cache, can, theirs)
    if chosen_options.only != "theirs":
        ours = match.run("ours", can)
    judged = [match.judge(each, theirs.get(each.name), ours.get(each.name)) for each in chosen]
    show(judged)
    failed = sum(each.word == report.FAILED for each in judged)
    print(f"all took {time.monotonic() - began:.0f} s")
    if failed:
        logs = settings.LOGS / "scenarios" / str(combination)
        print(f"the logs of masters and workers are in {logs}")
    print(f"{len(can) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    settings.run_alone(main)
