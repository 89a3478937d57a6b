"""Waiting for things to become true, never longer than told."""

import time


class TooLate(Exception):
    """What was waited for did not happen."""


def until(condition, what, seconds):
    """Wait until `condition()` is truthy and return it."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TooLate(f"{what}: not within {seconds} s")
        time.sleep(0.05)
