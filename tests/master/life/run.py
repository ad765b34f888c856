"""The life of our worker on a real Buildbot master: started, stopped, killed, cut off, handed over.

Called by `ci/master.sh life` with the Python of the virtual environment that setup.sh makes.
"""

import argparse
import concurrent.futures
import itertools
import shutil
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import settings  # noqa: E402
from harness.errors import Trouble  # noqa: E402
from harness.master import Master  # noqa: E402
from harness.ports import free_ports, listens  # noqa: E402
from harness.waiting import wait_for  # noqa: E402
from life import cases  # noqa: E402
from life.boat import Boat  # noqa: E402

BOATS = 3  # the most that one case needs


class Stage:
    """What a case may use; all of it goes away afterwards."""

    def __init__(self, name, scene, master, kills):
        self.name = name
        self.scene = scene
        self.master = master
        self.kills = kills
        self.closed_port = free_ports(1)[0]
        self.boats, self.masters = [], []
        self.names = iter(boat_names(name))
        self.pool = concurrent.futures.ThreadPoolExecutor(1)

    def boat(self, *options, master=None, name=None, **changes):
        """A new worker, not started."""
        name = name or next(self.names)
        boat = Boat(self.scene, master or self.master, name, *options, **changes)
        self.boats.append(boat)
        return boat

    def own_master(self):
        """A master for this case alone, started."""
        master = make_master(self.scene, f"master-{self.name}", boat_names(self.name))
        self.masters.append(master)
        master.start()
        wait_for("the master's port", lambda: listens(master.port), 60)
        return master

    def in_background(self, function):
        return self.pool.submit(function)

    def end(self, logs):
        """Ends all, and keeps the workers' logs."""
        for boat in self.boats:
            boat.end()
            for log in boat.directory.glob("twistd.log*"):
                shutil.copy(log, logs / f"{self.name}-{boat.directory.name}-{log.name}.txt")
        for master in self.masters:
            master.stop()
            shutil.copy(master.output, logs / f"{self.name}-master.txt")
        self.pool.shutdown(wait=False)


def boat_names(case):
    """The names that the workers of a case have."""
    return [f"{case}{number}" for number in range(1, BOATS + 1)]


def make_master(scene, name, boats):
    (scene.root / "home").mkdir(exist_ok=True)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(scene.root / "home"), "LANG": "C.UTF-8"}
    return Master(scene.venv, scene.root / name, HERE / "master.cfg", {"boats": boats}, env)


def run_case(name, scene, master, kills):
    """Runs a case; the line about it, and whether it passed."""
    began = time.monotonic()
    stage = Stage(name, scene, master, kills)
    try:
        case = cases.ALL.get(name, cases.warm_up)
        told, passed = case(stage) or "", True
    except Trouble as trouble:
        told, passed = str(trouble), False
    except Exception:  # a defect of a case fails it and leaves the others alone
        told, passed = traceback.format_exc(), False
    finally:
        seconds = time.monotonic() - began
        stage.end(scene.logs)
    return passed, f"{'ok' if passed else 'FAILED':6} {name:28} {seconds:6.1f} s  {told}".rstrip()


def options():
    parser = argparse.ArgumentParser(prog="ci/master.sh life", description=__doc__.split("\n", 1)[0])
    parser.add_argument("cases", nargs="*", help="names of cases; all if none is given")
    parser.add_argument("--list", action="store_true", help="show the names")
    settings.add_worker_option(parser)
    parser.add_argument("-j", "--jobs", type=int, default=4, help="cases at the same time (4)")
    parser.add_argument("--kills", type=int, default=20, help="kills at random instants (20)")
    parser.add_argument("--thorough", action="store_true", help="200 kills")
    return parser.parse_args()


def main():
    chosen = options()
    names = chosen.cases or list(cases.ALL)
    unknown = [name for name in names if name not in cases.ALL]
    if unknown:
        raise Trouble(f"no such case: {', '.join(unknown)}; --list shows them")
    if chosen.list:
        print("\n".join(names))
        return 0
    kills = 200 if chosen.thorough else chosen.kills
    failed = 0
    with settings.scene_of_one_side("ours", "life", chosen.worker) as scene:
        scene.root.mkdir()
        boats = list(itertools.chain.from_iterable(boat_names(name) for name in ["warm-up", *names]))
        master = make_master(scene, "master", boats)
        try:
            master.start()
            # The workers' port comes after the interface.
            wait_for("the master's port", lambda: listens(master.port), 60)
            # It is slow with its first worker; that is not what is measured.
            passed, line = run_case("warm-up", scene, master, kills)
            if not passed:
                raise Trouble(line)
            with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
                running = [pool.submit(run_case, name, scene, master, kills) for name in names]
                for future in concurrent.futures.as_completed(running):
                    passed, line = future.result()
                    failed += not passed
                    print(line, flush=True)
        finally:
            master.stop()
            shutil.copy(master.output, scene.logs / "master.txt")
    if failed:
        print(f"the logs of masters and workers are in {scene.logs}")
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    settings.run_alone(main)
