"""What a scenario may do while it runs."""

import time

from .errors import Trouble
from .record import record_builds, record_files
from .scenario import full_name
from .waiting import wait_for


class Stage:
    """One scenario on its master and worker, while it runs."""

    def __init__(self, scenario, group, mask):
        self.scenario = scenario
        self.places = group.places[scenario.name]
        self.group = group
        self.mask = mask
        self.master = group.master
        self.worker = group.worker
        self.rest = group.master.rest
        self.builders = dict.fromkeys(group.builders[scenario.name])
        self.requests = []
        self.facts = {}
        self.only_last_build = False  # whether the record leaves out builds that were tried again
        self.deadline = time.monotonic() + scenario.seconds

    def builder(self, part=None):
        """The full name of one of the scenario's builders."""
        return self.scenario.name if part is None else full_name(self.scenario.name, part)

    def builder_directory(self, part=None):
        """The directory of a builder at the worker."""
        return self.places.work / self.builder(part)

    def force(self, part=None, **properties):
        """Asks the master for a build; returns the id of the request."""
        builder = self.builder(part)
        builder_id = self.master.builder_id(builder)
        self.builders[builder] = builder_id
        params = {"builderid": builder_id, "reason": "a test", **properties}
        _, requests = self.rest.call("forceschedulers/force", "force", **params)
        request = requests[str(builder_id)]
        self.requests.append(request)
        return request

    def build_of(self, request):
        """Waits until the request has a running build; the build's id."""

        def running():
            builds = self.rest.rows(f"buildrequests/{request}/builds")
            return [build for build in builds if not build["complete"]]

        return self.wait("a running build", running)[-1]["buildid"]

    def finish(self):
        """Waits for the ends of all builds asked for so far."""
        for request in self.requests:
            self.wait(
                f"the end of the build of {self.scenario.name}",
                lambda: self.rest.row(f"buildrequests/{request}")["complete"],
            )

    def finish_or_give_up(self, seconds):
        """Like `finish`, but notes whether the builds ended within `seconds` instead of failing."""
        self.deadline = time.monotonic() + seconds
        try:
            self.finish()
            self.note("ended", "yes")
        except Trouble:
            self.note("ended", f"not within {seconds} s")

    def stop_build(self, build, reason):
        """Stops a build as the button on its page does."""
        self.rest.call(f"builds/{build}", "stop", reason=reason)

    def left(self):
        """Seconds until the scenario's deadline."""
        return max(self.deadline - time.monotonic(), 0.1)

    def wait(self, what, condition):
        """Waits until `condition` holds; its answer."""

        def asked():
            if self.group.cancelled:
                raise Trouble("the run was stopped")
            return condition()

        return wait_for(what, asked, self.left())

    def wait_for_file(self, path):
        """Waits until a step has made the file."""
        self.wait(f"the file {path}", path.exists)

    def note(self, what, value):
        """Adds an item of the harness's own to the record."""
        self.facts[f"noted/{what}"] = str(value)

    def note_gone(self, what, pid):
        """Waits for the end of the process `pid`, and notes whether it came within 15 s."""
        try:
            wait_for(what, lambda: not alive(pid), min(self.left(), 15))
            self.note(what, "gone")
        except Trouble:
            self.note(what, "still there")

    def record(self):
        """What the master recorded for this scenario."""
        items = {}
        for name, builder_id in self.builders.items():
            if builder_id is None:
                continue
            part = name.removeprefix(self.scenario.name).removeprefix("--")
            prefix = f"{part}/" if part else ""
            states = self.group.scene.combination.keeps_states
            items.update(
                record_builds(
                    self.rest, builder_id, prefix, self.mask, self.only_last_build, states
                )
            )
        items.update(record_files(self.places.out))
        items.update(self.facts)
        return items


def alive(pid):
    """Whether the process exists and has not ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def read_pid(path):
    """The process id that a step wrote to a file."""
    text = path.read_text()
    if not text.endswith("\n"):
        raise Trouble(f"{path} holds no complete line")
    return int(text)


def force_all(stage):
    """The default way to drive: a build of each builder, at the same time."""
    for name in stage.builders:
        part = name.removeprefix(stage.scenario.name).removeprefix("--")
        stage.force(part or None)
    stage.finish()
