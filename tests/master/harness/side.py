"""Runs scenarios with one of the two workers."""

import concurrent.futures
import shutil
import threading
import time
import traceback
from dataclasses import dataclass, field

from . import expect, people
from .daemon import kill_marked
from .errors import Trouble
from .inputs import make_inputs
from .mask import Mask
from .master import Master
from .scenario import Places
from .settings import HERE
from .stage import Stage, force_all
from .transport import make_transport
from .waiting import wait_for
from .worker import Worker

ATTACH_SECONDS = 60
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Outcome:
    """What became of a scenario on one side."""

    items: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)
    seconds: float = 0.0


class Group:
    """A master and a worker with the scenarios that run on them."""

    def __init__(self, name, scenarios, scene, transport, say):
        self.name = name
        self.transport = transport
        self.scenarios = scenarios
        self.scene = scene
        self.say = say
        self.directory = scene.root / name
        self.environment = environment(scene.root)
        self.master = None
        self.worker = None
        self.cancelled = False
        self.directory.mkdir()
        self.directory.chmod(0o755)
        self.places = {each.name: self._places(each) for each in scenarios}
        # Buildbot finds its step classes in a way that only one thread may use.
        self.builders = {
            each.name: list(each.builders(self.places[each.name])) for each in scenarios
        }

    def _places(self, scenario):
        out = self.directory / "out" / scenario.name
        out.mkdir(parents=True)
        return Places(inputs=self.scene.root / "inputs", out=out, work=self.directory / "worker")

    def start(self):
        """Starts both and waits until the worker is attached."""
        fields = {
            "harness": str(HERE),
            "root": str(self.scene.root),
            "work": str(self.directory / "worker"),
            "out": str(self.directory / "out"),
            "scenarios": [each.name for each in self.scenarios],
        }
        self.master = Master(
            self.scene.master_venv,
            self.directory / "master",
            HERE / "master.cfg",
            fields,
            self.environment,
            self.transport,
        )
        self.master.start()
        self.new_worker()
        self.attached()

    def new_worker(self, options=()):
        """Makes the worker's base directory and starts the worker."""
        self.worker = Worker(
            self.scene.program,
            self.scene.venv,
            self.directory / "worker",
            self.master,
            "boat",
            self.environment,
            options=options,
            **people.worker_identity(),
        )
        people.give(self.worker.directory)
        self.worker.start()

    def attached(self):
        """Waits until the master has attached the worker."""

        def attached_or_ended():
            return self.master.connected(self.worker.name) or not self.worker.daemon.alive()

        try:
            wait_for("the worker to be attached", attached_or_ended, ATTACH_SECONDS)
        except Trouble as trouble:
            raise Trouble(f"{trouble}\n{self.worker.log()[-2000:]}") from None
        if not self.worker.daemon.alive():
            raise Trouble(f"the worker ended:\n{self.worker.log()[-2000:]}")

    def mask(self, scenario):
        return Mask(self.directory, self.scene.root, scenario.left_out, scenario.streams_apart)

    def run(self, scenario):
        """Runs one scenario; never raises for what the scenario does."""
        began = time.monotonic()
        outcome = Outcome()
        if self.cancelled:
            return outcome
        try:
            stage = Stage(scenario, self, self.mask(scenario))
            try:
                (scenario.drive or force_all)(stage)
            finally:
                outcome.items = stage.record()
            states = self.scene.combination.keeps_states
            outcome.problems = expect.unmet(scenario, outcome.items, states)
        except Trouble as trouble:
            outcome.problems.append(str(trouble))
        except Exception:  # a defect of the harness fails this scenario and leaves the others alone
            outcome.problems.append(traceback.format_exc())
        outcome.seconds = time.monotonic() - began
        word = "trouble" if outcome.problems else "ran"
        self.say(f"{word:8}{scenario.name} ({outcome.seconds:.1f} s)")
        return outcome

    def cancel(self):
        """Makes every scenario end soon."""
        self.cancelled = True

    def stop(self):
        """Ends both and keeps their logs."""
        for each in (self.worker, self.master):
            if each is not None:
                each.stop()
        keep_logs(self.scene.logs, self.name, self.master, self.worker)


def keep_logs(directory, name, master, worker):
    """Copies what a master and a worker wrote to `directory`; either may be None."""
    for word, each in (("master", master), ("worker", worker)):
        if each is None:
            continue
        for file in (each.output, each.directory / "twistd.log"):
            if file.exists() and file.stat().st_size:
                kind = "output" if file == each.output else "log"
                shutil.copy(file, directory / f"{name}-{word}-{kind}.txt")


def environment(root):
    """The whole environment of masters and workers: the same everywhere. HOME is also the mark
    by which left-behind processes are found."""
    return {"PATH": PATH, "HOME": str(root / "home"), "LANG": "C.UTF-8", "USER": "tester"}


def make_root(root):
    """Makes the directory that everything of one side lies in."""
    (root / "home").mkdir(parents=True)
    root.chmod(0o755)
    people.give(root / "home")


def end_leftovers(root):
    """Kills what the side's workers left running."""
    kill_marked(f"HOME={root / 'home'}")


def run_side(scenarios, scene, jobs, say):
    """Runs all `scenarios` with one worker program; Outcomes by name. `say` takes progress lines."""
    make_root(scene.root)
    make_inputs(scene.root / "inputs")
    transport = make_transport(scene.combination.transport, scene.root / "keys")
    together = [each for each in scenarios if not each.alone]
    alone = [each for each in scenarios if each.alone]
    # A master keeps one core busy: there are two for what can run side by side.
    halves = {"first": together[0::2], "second": together[1::2]}
    groups = [
        (Group(name, half, scene, transport, say), max(jobs // 2, 1))
        for name, half in halves.items()
        if half
    ]
    if alone:
        groups.append((Group("alone", alone, scene, transport, say), 1))
    outcomes = {}
    threads = [
        threading.Thread(target=_run_group, args=(group, jobs, outcomes)) for group, jobs in groups
    ]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:  # somebody wants the run to end
        for group, _ in groups:
            group.cancel()
        for thread in threads:
            thread.join()
        raise
    finally:
        end_leftovers(scene.root)
    return outcomes


def _run_group(group, jobs, outcomes):
    try:
        group.start()
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            running = {each.name: pool.submit(group.run, each) for each in group.scenarios}
            for name, future in running.items():
                outcomes[name] = future.result()
    except Exception as error:  # so that every scenario has an outcome
        for each in group.scenarios:
            outcomes.setdefault(each.name, Outcome(problems=[f"no stage to run on: {error}"]))
    finally:
        group.stop()
