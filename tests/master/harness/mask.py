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


class Mask:
    """Replaces what differs from run to run by words in angle brackets."""

    def __init__(self, root, left_out=None):
        self.root = str(root)
        self.left_out = re.compile(f"^(?:{left_out})\n", re.MULTILINE) if left_out else None

    def __call__(self, text):
        text = text.replace(self.root, "<root>")
        for pattern, word in PATTERNS:
            text = pattern.sub(word, text)
        if self.left_out:
            text = self.left_out.sub("", text)
        return COPIED.sub(lambda found: "".join(sorted(found[0].splitlines(True))), text)
