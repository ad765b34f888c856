"""What the master recorded, as a flat dictionary of texts.

The keys are paths: `results`, `state` and `properties` of the build, `STEP/results`, `STEP/state`,
`STEP/log:NAME`, and `files/PATH` for what was uploaded. With several builders the path begins with
the part of the name that tells them apart; the second build of a builder has `#2/` in front.
"""

import collections
import hashlib
import json
import os
import re
import stat

RESULTS = ["SUCCESS", "WARNINGS", "FAILURE", "SKIPPED", "EXCEPTION", "RETRY", "CANCELLED"]
# A page of style sheets around the text that err.text holds too.
SKIPPED_LOGS = {"err.html"}
# Depends on which other scenarios run on the same master.
SKIPPED_PROPERTIES = {"builderid"}
# A frame is an indented line, or `FILE:LINE:FUNCTION` where a failure was sent as a text.
FRAME = re.compile(r"  |(?:/|<frozen )\S*:\d+:\w+$")
LARGEST_LOG = 1_000_000  # characters; a longer log is recorded as a summary


def result_name(number):
    return "none" if number is None else RESULTS[number]


def record_builds(rest, builder_id, prefix, mask, only_last=False, states=True):
    """The items of all builds of one builder, oldest first, or of the last one only.

    Without `states` the ones of steps are left out.
    """
    items = {}
    builds = rest.rows(f"builders/{builder_id}/builds", order="number")
    if only_last:
        builds = builds[-1:]
    for count, build in enumerate(builds, start=1):
        path = prefix if count == 1 else f"{prefix}#{count}/"
        items.update(_build(rest, build, path, mask, states))
    return items


def _build(rest, build, path, mask, states):
    properties = rest.get(f"builds/{build['buildid']}/properties")["properties"][0]
    shown = {
        name: value
        for name, (value, source) in properties.items()
        if name not in SKIPPED_PROPERTIES
    }
    items = {
        f"{path}results": result_name(build["results"]),
        f"{path}state": mask(build["state_string"]),
        f"{path}properties": mask(
            "".join(f"{name}: {json.dumps(shown[name])}\n" for name in sorted(shown))
        ),
    }
    for step in rest.rows(f"builds/{build['buildid']}/steps", order="number"):
        items.update(_step(rest, step, f"{path}{step['name']}/", mask, states))
    return items


def _step(rest, step, path, mask, states):
    items = {f"{path}results": result_name(step["results"])}
    if states:
        items[f"{path}state"] = mask(step["state_string"])
    for log in rest.rows(f"steps/{step['stepid']}/logs"):
        if log["name"] in SKIPPED_LOGS:
            continue
        content = rest.get(f"logs/{log['logid']}/contents")["logchunks"][0]["content"]
        if log["name"] == "err.text":
            content = without_frames(content)
        items[f"{path}log:{log['name']}"] = log_text(mask(content))
    return items


def without_frames(traceback):
    """A traceback without its frames, which tell of the master's and the worker's own code."""
    return "".join(line for line in traceback.splitlines(True) if not FRAME.match(line))


def log_text(content):
    """The log itself, or for a very long one a summary that still tells any change."""
    if len(content) <= LARGEST_LOG:
        return content
    lines = content.split("\n")
    lengths = collections.Counter(len(line) for line in lines)
    kinds = collections.Counter(line[:1] for line in lines)
    return (
        f"{len(content)} characters, sha256 {hashlib.sha256(content.encode()).hexdigest()}\n"
        f"{len(lines)} lines, by first character: {sorted(kinds.items())}\n"
        f"line lengths: {sorted(lengths.items())[:50]}\n"
    )


def record_files(directory):
    """One item for each file, link and directory below `directory`."""
    items = {}
    for place, directories, files in os.walk(os.fsencode(directory)):
        for name in sorted(directories + files):
            path = os.path.join(place, name)
            shown = os.path.relpath(path, os.fsencode(directory)).decode(errors="backslashreplace")
            items[f"files/{shown}"] = _file(path)
    return items


def _file(path):
    status = os.lstat(path)
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return f"link to {os.readlink(path)!r}"
    if stat.S_ISDIR(status.st_mode):
        return f"directory {mode:04o}"
    if not stat.S_ISREG(status.st_mode):
        return f"special file {status.st_mode:06o}"
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    # Files that keep the time they had on the worker are given one of long ago.
    kept = f" of {int(status.st_mtime)}" if status.st_mtime < 1_500_000_000 else ""
    return f"file {mode:04o}, {status.st_size} bytes, sha256 {digest}{kept}"
