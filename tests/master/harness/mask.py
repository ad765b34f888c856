"""Which parts of a text differ from run to run."""

import re

PATTERNS = [
    (re.compile(r"elapsedTime=\d+\.\d{6}\b"), "elapsedTime=<seconds>"),
    (re.compile(r"\(\d+ secs?\)"), "(<seconds>)"),
    # Names that the transfer code and the shell machinery make up.
    (re.compile(r"buildbot-transfer-[A-Za-z0-9_]+"), "buildbot-transfer-<name>"),
]


class Mask:
    """Replaces what differs from run to run by words in angle brackets."""

    def __init__(self, root):
        self.root = str(root)

    def __call__(self, text):
        text = text.replace(self.root, "<root>")
        for pattern, word in PATTERNS:
            text = pattern.sub(word, text)
        return text
