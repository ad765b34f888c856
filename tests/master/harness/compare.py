"""Two records side by side, and the list of chosen differences."""

import difflib
import re
import tomllib
from dataclasses import dataclass, field

from .errors import Trouble

MISSING = "(not there)"
NEEDED = {"scenario", "item", "reason"}
ALLOWED = NEEDED | {"theirs", "ours"}


@dataclass
class Chosen:
    """A difference that we want. `theirs` and `ours` describe whole lines found on one side only."""

    scenario: str
    item: str
    reason: str
    theirs: list = field(default_factory=list)
    ours: list = field(default_factory=list)


@dataclass
class Verdict:
    """What the comparison of one scenario came to."""

    unexplained: list = field(default_factory=list)  # texts to show
    explained: list = field(default_factory=list)  # reasons
    stale: list = field(default_factory=list)  # entries of the list that matched nothing


def read_differences(path, scenarios):
    """The entries of differences.toml, checked."""
    entries = []
    for entry in tomllib.loads(path.read_text()).get("difference", []):
        if not NEEDED <= entry.keys() <= ALLOWED:
            raise Trouble(f"{path.name}: an entry needs {sorted(NEEDED)}: {entry}")
        if entry["scenario"] not in scenarios:
            raise Trouble(f"{path.name}: there is no scenario {entry['scenario']!r}")
        if not entry.get("theirs") and not entry.get("ours"):
            raise Trouble(f"{path.name}: an entry says what only one side shows: {entry}")
        entries.append(Chosen(**entry))
    return entries


def compare(theirs, ours, entries):
    """Compares two records (dictionaries of texts) of one scenario."""
    verdict = Verdict()
    by_item = {}
    for entry in entries:
        by_item.setdefault(entry.item, []).append(entry)
    for item in sorted(theirs.keys() | ours.keys(), key=lambda each: (each.count("/"), each)):
        left, right = theirs.get(item, MISSING), ours.get(item, MISSING)
        chosen = by_item.pop(item, [])
        if left != right:
            _compare_item(item, left, right, chosen, verdict)
        else:
            verdict.stale += [f"{item}: {each.reason}" for each in chosen]
    for chosen in by_item.values():
        verdict.stale += [f"{each.item}: {each.reason}" for each in chosen]
    return verdict


def _compare_item(item, left, right, chosen, verdict):
    left_lines, right_lines = left.splitlines(), right.splitlines()
    for entry in chosen:
        left_lines, left_used = _without(left_lines, entry.theirs)
        right_lines, right_used = _without(right_lines, entry.ours)
        if left_used and right_used:
            verdict.explained.append(f"{item}: {entry.reason}")
        else:
            verdict.stale.append(f"{item}: {entry.reason}")
    if left_lines != right_lines or (not chosen and left != right):
        verdict.unexplained.append(_show(item, left_lines, right_lines))


def _without(lines, patterns):
    """The lines that no pattern matches as a whole, and whether every pattern matched one."""
    compiled = [re.compile(pattern) for pattern in patterns]
    used = set()
    kept = []
    for line in lines:
        matching = [each for each in compiled if each.fullmatch(line)]
        used.update(matching)
        if not matching:
            kept.append(line)
    return kept, len(used) == len(compiled)


def _show(item, left, right):
    lines = list(difflib.unified_diff(left, right, "theirs", "ours", lineterm="", n=2))
    shown = [_short(line) for line in lines[:40]]
    if len(lines) > len(shown):
        shown.append(f"... and {len(lines) - len(shown)} lines more")
    if not lines:
        shown = ["they differ only in how lines end"]
    return "\n".join([f"  {item}", *(f"    {line}" for line in shown)])


def _short(line):
    return line if len(line) <= 240 else f"{line[:200]} ... ({len(line)} characters)"
