"""What a scenario is, and the list of all of them."""

import importlib
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ALL = {}


@dataclass(frozen=True)
class Places:
    """Directories that the steps of a scenario may name; all on this machine."""

    inputs: Path  # files made by inputs.py, read only
    out: Path  # where this scenario's uploads go on the master; empty at first
    work: Path  # the worker's base directory


@dataclass(frozen=True)
class Scenario:
    """One thing that a worker must do as Python's worker does it.

    `steps` takes Places and gives the steps of one builder, or a dictionary of such lists for
    several builders. It runs inside the master. `drive` takes a Stage and runs in the harness; the
    default forces one build of each builder and waits for the ends.
    """

    name: str
    says: str
    steps: Callable
    ends: str | None = "SUCCESS"  # the result of the last build of every builder; None for any
    shows: dict = field(default_factory=dict)  # item of the record -> regular expression(s) in it
    left_out: str | None = None  # lines that depend on chance, and that the record goes without
    streams_apart: bool = False  # the order between output and errors depends on chance
    drive: Callable | None = None
    alone: bool = False  # disturbs the whole master or worker: runs with nothing beside it
    seconds: float = 150  # all builds must have ended by then

    def builders(self, places):
        """The steps of each builder, by builder name."""
        steps = self.steps(places)
        if isinstance(steps, dict):
            return {full_name(self.name, part): listed for part, listed in steps.items()}
        return {self.name: steps}


def full_name(name, part):
    """The builder of a scenario's part; made of what Buildbot keeps as it is in a directory name."""
    return f"{name}--{part}"


def scenario(says, **fields):
    """Turns a function that gives steps into a scenario named like the function."""

    def register(function):
        name = function.__name__.replace("_", "-")
        if name in ALL:
            raise ValueError(f"two scenarios are called {name}")
        ALL[name] = Scenario(name=name, says=says, steps=function, **fields)
        return function

    return register


def load():
    """Imports every module of the package `scenarios`; returns all scenarios by name."""
    import scenarios

    for module in sorted(pkgutil.iter_modules(scenarios.__path__), key=lambda each: each.name):
        importlib.import_module(f"scenarios.{module.name}")
    return ALL
