"""One combination of master and transport: both workers run, and what they did is judged."""

from dataclasses import dataclass

from . import compare, limits, report, settings
from .cache import Cache
from .side import run_side


@dataclass
class Judged:
    """What became of one scenario."""

    scenario: object
    word: str
    lines: list
    theirs: object = None  # Outcome, or None
    ours: object = None


class Match:
    """Runs scenarios of one combination with both workers. `say` takes lines about progress."""

    def __init__(self, combination, known, worker, jobs=8, say=None):
        combination.check()
        self.combination = combination
        self.known = known
        self.worker = worker
        self.jobs = jobs
        self.say = say or (lambda text: None)
        self.read_lists(settings.HERE / "differences.toml", settings.HERE / "limits.toml")
        self.ran = 0

    def read_lists(self, differences, limits_file):
        """Reads the list of chosen differences and the one of limits."""
        self.limits = limits.read_limits(limits_file, self.known, self.combination)
        self.entries = compare.read_differences(differences, self.known, self.combination)

    def cache(self, word):
        """The stored outcomes of `theirs` or `ours`."""
        depends = [settings.present(self.worker)] if word == "ours" else []
        masters = settings.HERE / "masters"
        needed = {masters / f"{version}.txt" for version in ("4.3.0", self.combination.master)}
        directory = settings.TARGET / "master-cache" / str(self.combination) / word
        return Cache(directory, *sorted(needed), *depends)

    def can(self, chosen):
        """Those of the chosen scenarios that this combination can express."""
        return [each for each in chosen if each.name not in self.limits.cannot]

    def run(self, word, chosen, cache=None):
        """Outcomes of `theirs` or `ours` by name: stored ones, and of what is left to run."""
        stored = {each.name: cache.get(each) for each in chosen} if cache else {}
        outcomes = {name: outcome for name, outcome in stored.items() if outcome}
        left = [each for each in chosen if each.name not in outcomes]
        if left:
            outcomes.update(self._run(word, left))
            self.ran += len(left)
        return outcomes

    def _run(self, word, left):
        def say(text):
            self.say(f"[{self.combination} {word}] {text}")

        purpose = f"scenarios/{self.combination}"
        with settings.scene_of_one_side(word, purpose, self.worker, self.combination) as scene:
            outcomes = run_side(left, scene, self.jobs, say)
            for name, outcome in outcomes.items():
                (scene.logs / f"{name}.record").write_text(report.record_text(outcome))
            return outcomes

    def judge(self, scenario, theirs, ours):
        """What is to be said about the outcomes of one scenario; None for a side not run."""
        reason = self.limits.cannot.get(scenario.name)
        if reason:
            return Judged(scenario, report.CANNOT, [f"  cannot be: {reason}"])
        fails = self.limits.fails.get(scenario.name)
        verdict = None
        if theirs and ours:
            mine = [entry for entry in self.entries if entry.scenario == scenario.name]
            verdict = compare.compare(theirs.items, ours.items, mine)
        word = report.judge(theirs, ours, verdict, fails)
        return Judged(scenario, word, report.details(theirs, ours, verdict, fails), theirs, ours)

    def store_theirs(self, cache, chosen, outcomes):
        """Keeps the outcomes of theirs that went as they must."""
        for each in chosen:
            fails = self.limits.fails.get(each.name)
            outcome = outcomes[each.name]
            if not report.unexpected(outcome, fails) and not report.unseen(outcome, fails):
                cache.put(each, outcome)
