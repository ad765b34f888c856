"""What a combination of master and transport cannot do, from the file limits.toml."""

import re
import tomllib
from dataclasses import dataclass, field

from .errors import Trouble

NEEDED = {"cannot": {"scenario", "reason"}, "fails": {"scenario", "reason", "whose", "problems"}}


@dataclass
class Fails:
    """A scenario that does not show what it must, because of the master or of Python's worker.

    `problems` are regular expressions of whole problems; each must match one of theirs.
    """

    reason: str
    whose: str  # "master" or "theirs"
    problems: list

    def takes(self, problem):
        return any(_is(pattern, problem) for pattern in self.problems)

    def unseen(self, problems):
        """The expressions that none of `problems` is."""
        return [each for each in self.problems if not any(_is(each, text) for text in problems)]


def _is(pattern, problem):
    return re.fullmatch(pattern, problem, re.DOTALL)


@dataclass
class Limits:
    """The entries about one combination, by scenario."""

    cannot: dict = field(default_factory=dict)  # the reason
    fails: dict = field(default_factory=dict)  # a Fails


def read_limits(path, scenarios, combination):
    """The limits of a combination, checked."""
    limits = Limits()
    for kind, entries in tomllib.loads(path.read_text()).items():
        if kind not in NEEDED:
            raise Trouble(f"{path.name}: there is no kind of entry {kind!r}")
        for entry in entries:
            taken = combination.takes(entry)
            names = entry.get("scenario")
            names = [names] if isinstance(names, str) else names
            if entry.keys() != NEEDED[kind] or entry.get("whose", "master") not in WHOSE:
                raise Trouble(f"{path.name}: {kind} has {sorted(NEEDED[kind])}, not {entry}")
            for name in names:
                if name not in scenarios:
                    raise Trouble(f"{path.name}: there is no scenario {name!r}")
                if not taken:
                    continue
                if name in limits.cannot or name in limits.fails:
                    raise Trouble(f"{path.name}: two entries about {name} on {combination}")
                if kind == "cannot":
                    limits.cannot[name] = entry["reason"]
                else:
                    limits.fails[name] = Fails(entry["reason"], entry["whose"], entry["problems"])
    return limits


WHOSE = ("master", "theirs")
