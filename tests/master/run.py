"""Runs scenarios on a real Buildbot master with Python's worker, then with ours, and compares.

Called by ci/master.sh with the Python of the virtual environment that setup.sh makes.
"""

import argparse
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import compare, report, scenario, settings  # noqa: E402
from harness.cache import Cache  # noqa: E402
from harness.errors import Trouble  # noqa: E402
from harness.side import run_side  # noqa: E402


def options():
    parser = argparse.ArgumentParser(prog="ci/master.sh", description=__doc__.split("\n", 1)[0])
    parser.add_argument("scenarios", nargs="*", help="names of scenarios; all if none is given")
    parser.add_argument("--list", action="store_true", help="show the scenarios and what they say")
    parser.add_argument("--only", choices=["theirs", "ours"], help="run one side only")
    settings.add_worker_option(parser)
    parser.add_argument("--fresh", action="store_true", help="do not use stored results of theirs")
    parser.add_argument("-j", "--jobs", type=int, default=8, help="scenarios at the same time (8)")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what happens meanwhile")
    parser.add_argument("--differences", type=Path, default=HERE / "differences.toml")
    return parser.parse_args()


def choose(known, names):
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Trouble(f"no such scenario: {', '.join(unknown)}; --list shows them")
    return [known[name] for name in names] if names else list(known.values())


def run_one_side(word, chosen, chosen_options):
    """Outcomes of the scenarios `chosen`; records and logs are kept."""

    def say(text):
        if chosen_options.verbose:
            print(f"[{word}] {text}", file=sys.stderr, flush=True)

    with settings.scene_of_one_side(word, "scenarios", chosen_options.worker) as scene:
        outcomes = run_side(chosen, scene, chosen_options.jobs, say)
        for name, outcome in outcomes.items():
            (scene.logs / f"{name}.record").write_text(report.record_text(outcome))
        return outcomes


def run_theirs(chosen, chosen_options):
    cache = Cache(settings.TARGET / "master-cache", HERE)
    outcomes = {}
    if not chosen_options.fresh:
        outcomes = {each.name: cache.get(each) for each in chosen if cache.get(each)}
    left = [each for each in chosen if each.name not in outcomes]
    if left:
        ran = run_one_side("theirs", left, chosen_options)
        for each in left:
            cache.put(each, ran[each.name])
        outcomes.update(ran)
    return outcomes


def judge_all(chosen, theirs, ours, entries):
    """Prints one line for each scenario and what is to be said about it; returns (passed, failed)."""
    width = max(len(each.name) for each in chosen)
    print(f"{'':9} {'':{width}}  theirs    ours")
    counts = {report.OK: 0, report.DIFFERENT: 0, report.FAILED: 0}
    for each in chosen:
        left, right = theirs.get(each.name), ours.get(each.name)
        verdict = None
        if left and right:
            mine = [entry for entry in entries if entry.scenario == each.name]
            verdict = compare.compare(left.items, right.items, mine)
        word = report.judge(left, right, verdict)
        counts[word] += 1
        print(report.scenario_line(each, word, left, right, width))
        for line in report.details(left, right, verdict):
            print(line)
    return counts[report.OK] + counts[report.DIFFERENT], counts[report.FAILED]


def main():
    chosen_options = options()
    known = scenario.load()
    if chosen_options.list:
        for each in known.values():
            print(f"{each.name:32} {each.says}")
        return 0
    chosen = choose(known, chosen_options.scenarios)
    entries = compare.read_differences(chosen_options.differences, known)
    began = time.monotonic()
    theirs, ours = {}, {}
    if chosen_options.only != "ours":
        theirs = run_theirs(chosen, chosen_options)
    if chosen_options.only != "theirs":
        ours = run_one_side("ours", chosen, chosen_options)
    passed, failed = judge_all(chosen, theirs, ours, entries)
    print(f"all took {time.monotonic() - began:.0f} s")
    if failed:
        print(f"the logs of masters and workers are in {settings.LOGS / 'scenarios'}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    settings.run_alone(main)
