"""Counts the instructions of the hot paths with callgrind, and compares them with the recorded ones.

    instructions.py PROGRAM --check|--record

The counts depend on the compiler too, so they are recorded with its version; with another one the
comparison only tells.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

RECORD = Path(__file__).resolve().parent / "instructions.json"
# Name, and how often it runs in the longer of two runs; the shorter one runs it once.
PATHS = {
    "short lines": 17,
    "long lines": 17,
    "progress": 17,
    "invalid bytes": 17,
    "latin-1": 17,
    "updates out": 17,
    "calls in": 101,
}
TOLERANCE = 0.03


def count(program, name, times):
    with tempfile.TemporaryDirectory() as place:
        argv = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={place}/out"]
        run = subprocess.run(
            [*argv, program, name, str(times)], capture_output=True, text=True, check=False
        )
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"ci/bench: callgrind failed on {name}:\n{run.stderr[-2000:]}")
    return int(found[1])


def measure(program):
    return {
        name: round((count(program, name, times) - count(program, name, 1)) / (times - 1))
        for name, times in PATHS.items()
    }


def compiler():
    return subprocess.run(["rustc", "-V"], capture_output=True, text=True, check=True).stdout.strip()


def main():
    program, what = sys.argv[1:]
    found = {"compiler": compiler(), "instructions": measure(program)}
    if what == "--record":
        RECORD.write_text(json.dumps(found, indent=1) + "\n")
    recorded = json.loads(RECORD.read_text())
    same = recorded["compiler"] == found["compiler"]
    worse = []
    print(f"{'instructions each time':24} {'recorded':>12} {'now':>12}")
    for name, now in found["instructions"].items():
        before = recorded["instructions"].get(name)
        print(f"{name:24} {before or 0:12,} {now:12,}")
        if before is None or now > before * (1 + TOLERANCE):
            worse.append(name)
    if not same:
        print(f"recorded with {recorded['compiler']}, not {found['compiler']}: no judgement")
    elif worse:
        sys.exit(f"ci/bench: more instructions than recorded: {', '.join(worse)}; if that must be, "
                 "record them anew with ci/bench --record")


if __name__ == "__main__":
    main()
