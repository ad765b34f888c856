"""The lines a person reads."""

OK, DIFFERENT, FAILED = "ok", "different", "FAILED"


def judge(outcome_theirs, outcome_ours, verdict):
    """The one word for a scenario. A side that was not run is None."""
    if any(each is not None and each.problems for each in (outcome_theirs, outcome_ours)):
        return FAILED
    if verdict is None:
        return OK
    if verdict.unexplained or verdict.stale:
        return FAILED
    return DIFFERENT if verdict.explained else OK


def scenario_line(scenario, word, theirs, ours, width):
    """`word name seconds-theirs seconds-ours`, aligned."""
    return f"{word:9} {scenario.name:{width}} {_seconds(theirs)} {_seconds(ours)}"


def _seconds(outcome):
    return "      -" if outcome is None else f"{outcome.seconds:6.1f}s"


def details(theirs, ours, verdict):
    """What there is to say below a scenario's line."""
    lines = []
    for word, outcome in (("theirs", theirs), ("ours", ours)):
        for problem in outcome.problems if outcome else []:
            lines.append(f"  {word}: {problem}")
    if verdict is not None:
        lines += verdict.unexplained
        lines += [f"  listed, but not seen: {each}" for each in verdict.stale]
        lines += [f"  chosen: {each}" for each in verdict.explained]
    return lines


def record_text(outcome):
    """A whole record for reading."""
    lines = [f"problem: {problem}\n" for problem in outcome.problems]
    for item, text in outcome.items.items():
        if "\n" in text:
            text = "\n" + "".join(f"    {line}\n" for line in text.removesuffix("\n").split("\n"))
        else:
            text = f" {text}\n"
        lines.append(f"{item}:{text}")
    return "".join(lines)
