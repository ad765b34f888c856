"""Two records side by side, and the list of chosen differences."""

import difflib
import fnmatch
import re
import tomllib
from dataclasses import dataclass, field

from .errors import Trouble

MISSING = "(not there)"
NEEDED = {"scenario", "item", "reason"}
ALLOWED = NEEDED | {"theirs", "ours"}


@dataclass
class Chosen:
    """A difference that we want, in the items that one of `items` matches as file names are matched.

    `theirs` and `ours` are regular expressions of whole lines that only that side shows.
    """

    scenario: str
    items: list
    reason: str
    theirs: list = field(default_factory=list)
    ours: list = field(default_factory=list)
    used: set = field(default_factory=set)  # the expressions that matched a line so far

    def covers(self, item):
        return any(fnmatch.fnmatchcase(item, pattern) for pattern in self.items)

    def unused(self):
        """What of this entry matched nothing."""
        return [f"{side}: {each}" for side, each in self._all() if (side, each) not in self.used]

    def _all(self):
        return [("theirs", each) for each in self.theirs] + [("ours", each) for each in self.ours]


@dataclass
class Verdict:
    """What the comparison of one scenario came to."""

    unexplained: list = field(default_factory=list)  # texts to show
    explained: list = field(default_factory=list)  # reasons
    stale: list = field(default_factory=list)  # entries of the list that do not hold


def read_differences(path, scenarios, combination):
    """The entries of a list of differences that are about a combination, checked."""
    entries = []
    for entry in tomllib.loads(path.read_text()).get("difference", []):
        taken = combination.takes(entry)
        if not NEEDED <= entry.keys() <= ALLOWED:
            raise Trouble(f"{path.name}: an entry has {sorted(ALLOWED)}, not {sorted(entry)}")
        if entry["scenario"] not in scenarios:
            raise Trouble(f"{path.name}: there is no scenario {entry['scenario']!r}")
        if not entry.get("theirs") and not entry.get("ours"):
            raise Trouble(f"{path.name}: an entry says what only one side shows: {entry}")
        items = entry.pop("item")
        if taken:
            entries.append(
                Chosen(items=[items] if isinstance(items, str) else items, **entry)
            )
    return entries


def compare(theirs, ours, entries):
    """Compares two records (dictionaries of texts) of one scenario."""
    verdict = Verdict()
    for entry in entries:
        entry.used.clear()
    for item in [*theirs, *(each for each in ours if each not in theirs)]:
        left, right = theirs.get(item, MISSING), ours.get(item, MISSING)
        if left != right:
            covering = [entry for entry in entries if entry.covers(item)]
            _compare_item(item, left, right, covering, verdict)
    for entry in entries:
        unused = entry.unused()
        if unused:
            verdict.stale.append(f"{entry.reason}: no line is {'; '.join(unused)}")
        else:
            verdict.explained.append(entry.reason)
    return verdict


def _compare_item(item, left, right, entries, verdict):
    left_lines, right_lines = left.split("\n"), right.split("\n")
    # A line on both sides is no difference, whatever matches it.
    left_lines, right_lines = _only_different(left_lines, right_lines)
    for entry in entries:
        left_lines = _without(left_lines, "theirs", entry)
        right_lines = _without(right_lines, "ours", entry)
    if any(mark for mark, _ in left_lines + right_lines):
        verdict.unexplained.append(
            _show(item, [line for _, line in left_lines], [line for _, line in right_lines])
        )


def _only_different(left, right):
    """Both texts as pairs of a mark, true for lines that only this side has there, and the line."""
    marked_left, marked_right = [], []
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for word, from_left, to_left, from_right, to_right in matcher.get_opcodes():
        differs = word != "equal"
        marked_left += [(differs, line) for line in left[from_left:to_left]]
        marked_right += [(differs, line) for line in right[from_right:to_right]]
    return marked_left, marked_right


def _without(lines, side, entry):
    """The lines without the different ones that an expression of the entry describes."""
    expressions = entry.theirs if side == "theirs" else entry.ours
    kept = []
    for differs, line in lines:
        matching = [each for each in expressions if differs and re.fullmatch(each, line)]
        entry.used.update((side, each) for each in matching)
        if not matching:
            kept.append((differs, line))
    return kept


def _show(item, left, right):
    lines = list(difflib.unified_diff(left, right, "theirs", "ours", lineterm="", n=2))
    shown = [_short(line) for line in lines[2:40]]
    if len(lines) > 40:
        shown.append(f"... and {len(lines) - 40} lines more")
    return "\n".join([f"  {item}", *(f"    {line}" for line in shown)])


def _short(line):
    return line if len(line) <= 240 else f"{line[:200]} ... ({len(line)} characters)"
