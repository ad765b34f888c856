"""Builds and tests CPython on a real master as CPython's fleet does, with one worker or both.

Prints a Markdown table of the steps. Called by ci/master.sh; takes about ten minutes a worker.
"""

import argparse
import collections
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import people, settings, side  # noqa: E402
from harness.master import Master  # noqa: E402
from harness.record import result_name  # noqa: E402
from harness.waiting import wait_for  # noqa: E402
from harness.worker import Worker  # noqa: E402

BUILDER = "3.x.boat"
# Green on a plain Debian 12, also in a virtual machine without a network.
MODULES = [
    "test_os",
    "test_posix",
    "test_subprocess",
    "test_signal",
    "test_pty",
    "test_io",
    "test_threading",
    "test_tarfile",
    "test_select",
    "test_selectors",
    "test_tempfile",
    "test_wait4",
]
BUILD_SECONDS = 3 * 3600


class Result:
    """The steps of one build, and the problems found in it."""

    def __init__(self):
        self.steps = {}  # name -> (result, seconds)
        self.problems = []
        self.summary = ""


def options():
    parser = argparse.ArgumentParser(prog="ci/master.sh cpython", description=__doc__)
    parser.add_argument("sides", nargs="?", choices=["theirs", "ours", "both"], default="both")
    parser.add_argument("--repository", type=Path, required=True, help="made by source.sh")
    settings.add_worker_option(parser)
    return parser.parse_args()


def build(word, chosen):
    """Runs the build with one worker."""
    with settings.scene_of_one_side(word, "cpython", chosen.worker) as scene:
        root = scene.root
        side.make_root(root)
        (root / "worker").mkdir(mode=0o755)
        repository = root / "repository"
        settings.copy(chosen.repository, repository)
        people.give(repository)
        environment = side.environment(root)
        fields = {
            "repository": str(repository),
            "results": str(root / "test-results.xml"),
            "modules": MODULES,
        }
        master = Master(scene.venv, root / "master", HERE / "master.cfg", fields, environment)
        worker = None
        try:
            master.start()
            worker = Worker(
                scene.program,
                scene.venv,
                root / "worker/base",
                master,
                "boat",
                environment,
                **people.worker_identity(),
            )
            people.give(root / "worker")
            worker.start()
            wait_for("the worker", lambda: master.connected("boat"), side.ATTACH_SECONDS)
            return run_build(word, master, root)
        finally:
            for each in (worker, master):
                if each is not None:
                    each.stop()
            side.keep_logs(scene.logs, "cpython", master, worker)
            side.end_leftovers(root)


def run_build(word, master, root):
    rest = master.rest
    builder = master.builder_id(BUILDER)
    _, requests = rest.call("forceschedulers/force", "force", builderid=builder, reason="a test")
    request = requests[str(builder)]
    told = set()

    def done():
        for step in steps_of(rest, request):
            if step["complete"] and step["name"] not in told:
                told.add(step["name"])
                print(f"[{word}] {describe(step)}", file=sys.stderr, flush=True)
        time.sleep(2)
        return rest.row(f"buildrequests/{request}")["complete"]

    wait_for("the end of the build", done, BUILD_SECONDS)
    return judge(rest, request, root)


def steps_of(rest, request):
    builds = rest.rows(f"buildrequests/{request}/builds", order="number")
    return rest.rows(f"builds/{builds[-1]['buildid']}/steps", order="number") if builds else []


def seconds_of(step):
    return step["complete_at"] - step["started_at"]


def describe(step):
    return f"{step['name']}: {result_name(step['results'])} after {seconds_of(step):.0f} s"


def judge(rest, request, root):
    result = Result()
    for step in steps_of(rest, request):
        result.steps[step["name"]] = (result_name(step["results"]), seconds_of(step))
        if step["results"] != 0:
            result.problems.append(f"step {describe(step)}\n{end_of_log(rest, step)}")
        if step["name"] == "prefix":
            check_prefix(rest, step, root, result)
    if rest.row(f"buildrequests/{request}")["results"] != 0:
        result.problems.append("the build did not succeed")
    check_junit(root / "test-results.xml", result)
    return result


def log_of(rest, step):
    logs = [log for log in rest.rows(f"steps/{step['stepid']}/logs") if log["name"] == "stdio"]
    if not logs:
        return ""
    return rest.get(f"logs/{logs[0]['logid']}/contents")["logchunks"][0]["content"]


def end_of_log(rest, step):
    return "\n".join(log_of(rest, step).splitlines()[-40:])


def check_prefix(rest, step, root, result):
    """The prefix is right only if the worker told the program its directory in PWD."""
    wanted = f"oprefix={root}/worker/base/{BUILDER}/build/target"
    if wanted not in log_of(rest, step).splitlines():
        result.problems.append(f"make does not see {wanted[1:]}")


def check_junit(path, result):
    """The results must have arrived whole, and name every module."""
    try:
        tree = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        result.problems.append(f"the JUnit file: {error}")
        return
    cases = collections.Counter(
        each.get("name", "").split(".")[1]
        for each in tree.iter("testcase")
        if "." in each.get("name", "")
    )
    missing = [each for each in MODULES if each not in cases]
    if missing:
        result.problems.append(f"the JUnit file has nothing of {', '.join(missing)}")
    bad = int(tree.get("failures", 0)) + int(tree.get("errors", 0))
    result.summary = f"{tree.get('tests')} tests, {bad} failed, in {len(cases)} modules"


def print_table(results):
    """The steps of each worker, side by side."""
    words = list(results)
    print("| step |" + "".join(f" {word} | seconds |" for word in words))
    print("| --- |" + " --- | ---: |" * len(words))
    names = {name: None for result in results.values() for name in result.steps}
    for name in names:
        row = [name]
        for word in words:
            outcome, seconds = results[word].steps.get(name, ("not run", 0.0))
            row += [outcome, f"{seconds:.0f}"]
        print("| " + " | ".join(row) + " |")
    print()
    for word in words:
        print(f"{word}: JUnit: {results[word].summary or 'none'}")
        for problem in results[word].problems:
            print(f"{word}: {problem}")


def main():
    chosen = options()
    sides = ["theirs", "ours"] if chosen.sides == "both" else [chosen.sides]
    results = {word: build(word, chosen) for word in sides}
    print_table(results)
    failed = sum(1 for result in results.values() if result.problems)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    settings.run_alone(main)
