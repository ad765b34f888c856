"""Waiting with a deadline; there is no other kind of waiting here."""

import time

from .errors import Trouble

PAUSE = 0.1


def wait_for(what, condition, seconds):
    """Asks `condition` until it gives something true and returns that; Trouble after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Trouble(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(PAUSE)
