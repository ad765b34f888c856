"""The table in Markdown."""

# Where less is better; all other numbers are speeds.
SPEED = "MB/s"


def rows(medians):
    """Name, theirs, ours and how many times better ours is; None for what was not measured."""
    names = list(dict.fromkeys([*medians["theirs"], *medians["ours"]]))
    for name in names:
        theirs, ours = medians["theirs"].get(name), medians["ours"].get(name)
        yield name, theirs, ours, _times_better(name, theirs, ours)


def _times_better(name, theirs, ours):
    if theirs is None or ours is None or theirs == 0 or ours == 0:
        return None
    return ours / theirs if SPEED in name else theirs / ours


def _number(value):
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(medians, about):
    lines = [
        f"Medians of {about['rounds']} rounds on {about['machine']} "
        f"(load before: {about['load before']:.1f}).",
        "",
        "| what | Python worker | coracle | times better |",
        "|---|---:|---:|---:|",
    ]
    for name, theirs, ours, better in rows(medians):
        lines.append(f"| {name} | {_number(theirs)} | {_number(ours)} | {_number(better)} |")
    return "\n".join(lines) + "\n"
