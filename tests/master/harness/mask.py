"""Which parts of a text differ from run to run."""

import re

PATTERNS = [
    (re.compile(r"elapsedTime=\d+\.\d{6}\b"), "elapsedTime=<seconds>"),
    (re.compile(r"\(\d+ secs?\)"), "(<seconds>)"),
    (re.compile(r"\(command \d+\)"), "(command <id>)"),
    (re.compile(r"environment id \d+"), "environment id <id>"),
    # Names that the transfer code and the shell machinery make up.
    (re.compile(r"buildbot-transfer-[A-Za-z0-9_]+"), "buildbot-transfer-<name>"),
]


# Copying programs name files in the order of the directory, which no two file systems share.
COPIED = re.compile(r"(?:^o'.*' -> '.*'\n)+", re.MULTILINE)
# What a program wrote between two headers.
OUTPUT = re.compile(r"(?:^[oe].*\n)+", re.MULTILINE)


class Mask:
    """Replaces what differs from run to run by words in angle brackets."""

    def __init__(self, group, root, left_out=None, streams_apart=False):
        self.places = [(str(group), "<group>"), (str(root), "<root>")]
        self.streams_apart = streams_apart
        self.left_out = re.compile(f"^(?:{left_out})\n", re.MULTILINE) if left_out else None

    def __call__(self, text):
        for place, word in self.places:
            text = text.replace(place, word)
        for pattern, word in PATTERNS:
            text = pattern.sub(word, text)
        if self.left_out:
            text = self.left_out.sub("", text)
        if self.streams_apart:
            text = OUTPUT.sub(lambda found: "".join(sorted(lines_of(found[0]), key=stream)), text)
        return COPIED.sub(lambda found: "".join(sorted(lines_of(found[0]))), text)


def lines_of(text):
    """The lines with their ends; only a newline ends a line. The text ends with one."""
    return [f"{line}\n" for line in text[:-1].split("\n")]


def stream(line):
    """The letter that tells output, errors and headers apart."""
    return line[:1]
