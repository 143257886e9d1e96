"""Waiting for what goes on in the background."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 120  # until a test that waits in vain fails: a busy machine may need long for what takes a moment


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
