"""The lines a person reads."""

OK, DIFFERENT, FAILED = "ok", "different", "FAILED"
MASTER_FAILS, CANNOT = "master fails", "-"


def unexpected(outcome, fails):
    """The problems of an outcome that no entry of limits.toml expects; none if it was not run."""
    problems = outcome.problems if outcome else []
    return [each for each in problems if not (fails and fails.takes(each))]


def unseen(theirs, fails):
    """What should have gone wrong with theirs, but did not."""
    return fails.unseen(theirs.problems) if theirs and fails else []


def judge(theirs, ours, verdict, fails):
    """The one word for a scenario; None is a side that was not run, or that nothing has to fail."""
    if unexpected(theirs, fails) or unexpected(ours, fails) or unseen(theirs, fails):
        return FAILED
    if verdict is not None and (verdict.unexplained or verdict.stale):
        return FAILED
    if fails and fails.whose == "master":
        return MASTER_FAILS
    return DIFFERENT if fails or (verdict is not None and verdict.explained) else OK


def scenario_line(scenario, word, theirs, ours, width):
    """`word name seconds-theirs seconds-ours`, aligned."""
    return f"{word:12} {scenario.name:{width}} {_seconds(theirs)} {_seconds(ours)}"


def _seconds(outcome):
    return "      -" if outcome is None else f"{outcome.seconds:6.1f}s"


def details(theirs, ours, verdict, fails):
    """What there is to say below a scenario's line."""
    lines = []
    for word, outcome in (("theirs", theirs), ("ours", ours)):
        lines += [f"  {word}: {problem}" for problem in unexpected(outcome, fails)]
    lines += [f"  listed, but theirs did not: {each}" for each in unseen(theirs, fails)]
    if verdict is not None:
        lines += verdict.unexplained
        lines += [f"  listed, but not seen: {each}" for each in verdict.stale]
        lines += [f"  chosen: {each}" for each in verdict.explained]
    if fails:
        who = "the master" if fails.whose == "master" else "theirs"
        lines.append(f"  {who} fails: {fails.reason}")
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


SHORT = {OK: "ok", DIFFERENT: "different", MASTER_FAILS: "master", FAILED: "FAILED", CANNOT: "-"}


def table(rows, columns, words):
    """Scenario by combination; `words` has a word for each pair. A list of lines."""
    width = max(len(row) for row in rows)
    lines = []
    for part in (0, 1):
        heads = [(each.transport, each.master)[part] for each in columns]
        lines.append(" ".join([" " * width, *(f"{head:11}" for head in heads)]).rstrip())
    for row in rows:
        cells = [SHORT[words[row, column]] for column in columns]
        lines.append(" ".join([f"{row:{width}}", *(f"{cell:11}" for cell in cells)]).rstrip())
    return lines
