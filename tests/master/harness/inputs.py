"""Files that scenarios start from; the same bytes in every run."""

import random


def make_inputs(directory):
    """Makes the input files; readable by everybody."""
    directory.mkdir()
    directory.chmod(0o755)
    dice = random.Random(20)
    (directory / "random-5m").write_bytes(dice.randbytes(5 * 1024 * 1024))
    (directory / "random-100k").write_bytes(dice.randbytes(100_000))
    (directory / "empty").write_bytes(b"")
    (directory / "text").write_text("first line\nsecond line with ü and €\nno newline at the end")
    for each in directory.iterdir():
        each.chmod(0o644)
