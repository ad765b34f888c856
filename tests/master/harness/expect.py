"""Whether a scenario did what it claims to do, whoever's worker it ran on."""

import re


def unmet(scenario, items, states=True):
    """The sentences that are not true of the record `items`; empty when all is well.

    Without `states` nothing is expected of the ones of steps.
    """
    problems = []
    ends = _last_results(items)
    if not ends:
        problems.append("no build was recorded")
    for builder, result in ends.items():
        if scenario.ends is not None and result != scenario.ends:
            problems.append(f"{builder or 'the build'} ended with {result}, not {scenario.ends}")
    for item, patterns in scenario.shows.items():
        if item.endswith("/state") and not states:
            continue
        if item not in items:
            problems.append(f"{item} is missing")
            continue
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            if not re.search(pattern, items[item], re.MULTILINE):
                problems.append(f"{item} does not show {pattern!r}")
    return problems


def _last_results(items):
    """The result of the last build of each builder, by the part of its name."""
    last = {}
    for item, value in items.items():
        found = re.fullmatch(r"(?:([^/#]+)/)?(?:#\d+/)?results", item)
        # Steps have the same shape as builders with a part; only builds have properties.
        if found and item.removesuffix("results") + "properties" in items:
            last[found[1] or ""] = value  # the record has them in order of time
    return last
