"""Measures Python's worker and ours side by side; called by ci/bench."""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "master")]

import against_master  # noqa: E402
import against_sink  # noqa: E402
import plot  # noqa: E402
import table  # noqa: E402
from harness.errors import Trouble  # noqa: E402
from sides import NAMES  # noqa: E402


def options():
    parser = argparse.ArgumentParser(prog="ci/bench", description=__doc__)
    parser.add_argument("--worker", type=Path, required=True, help="our program")
    parser.add_argument("--sink", type=Path, required=True, help="the program of examples/sink.rs")
    parser.add_argument("--quick", action="store_true", help="once, with little data")
    parser.add_argument("--rounds", type=int, help="how often each worker is measured (3)")
    parser.add_argument("--output", type=int, metavar="MB", help="size of each output (200)")
    parser.add_argument("--file", type=int, metavar="MB", help="size of the file (300)")
    parser.add_argument("--tiny", type=int, metavar="N", help="number of tiny steps (1000)")
    parser.add_argument("--only", choices=["sink", "master"], help="against one of them only")
    parser.add_argument("--side", choices=NAMES, help="one worker only")
    parser.add_argument("--out", type=Path, default=ROOT / "target/bench")
    chosen = parser.parse_args()
    quick = chosen.quick
    chosen.rounds = chosen.rounds or (1 if quick else 3)
    chosen.tiny = chosen.tiny or (100 if quick else 1000)
    chosen.output = chosen.output or (20 if quick else 200)
    chosen.file = chosen.file or (20 if quick else 300)
    # Also in a quick run: what wakes an idle worker comes at intervals of up to a minute.
    chosen.wake_seconds = 120
    return chosen


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def measure(chosen, place):
    """Lists of numbers by side and name, one number a round; the sides take turns."""
    found = {side: {} for side in NAMES}
    for number in range(chosen.rounds):
        for side in [chosen.side] if chosen.side else NAMES:
            began = time.monotonic()
            numbers = {}
            if chosen.only != "master":
                wake = chosen.wake_seconds if number == 0 else 0
                numbers.update(against_sink.measure(side, chosen, place, wake))
            if chosen.only != "sink":
                numbers.update(against_master.measure(side, chosen, place))
            for name, value in numbers.items():
                found[side].setdefault(name, []).append(value)
            say(f"round {number + 1}, {side}: {time.monotonic() - began:.0f} s")
    return found


def machine():
    text = Path("/proc/cpuinfo").read_text()
    models = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    model = models[0] if models else platform.machine()
    return f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def main():
    chosen = options()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=chosen.out) as name:
        place = Path(name)
        against_sink.make_inputs(place, chosen.output)
        against_sink.make_big(place, chosen.file)
        load = os.getloadavg()[0]
        found = measure(chosen, place)
    medians = {
        side: {name: statistics.median(values) for name, values in numbers.items()}
        for side, numbers in found.items()
    }
    medians["ours"]["program, MB"] = chosen.worker.stat().st_size / 1e6
    about = {"machine": machine(), "rounds": chosen.rounds, "load before": load}
    result = {"about": about, "medians": medians, "all": found}
    (chosen.out / "result.json").write_text(json.dumps(result, indent=1))
    text = table.markdown(medians, about)
    (chosen.out / "table.md").write_text(text)
    (chosen.out / "plot.svg").write_text(plot.svg(medians))
    print(text)
    say(f"the table, the plot and all numbers are in {chosen.out}")


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        sys.exit(f"ci/bench: {trouble}")
