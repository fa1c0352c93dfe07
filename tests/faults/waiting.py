"""Waiting for an answer, never for time."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 100.0


def until(answer: Callable[[], bool], *, doing: Callable[[], object] = lambda: time.sleep(0.01)) -> None:
    """Asks until the answer is yes, doing something meanwhile; fails when it does not come."""
    deadline = time.monotonic() + PATIENCE_S
    while not answer():
        assert time.monotonic() < deadline, "waited in vain"
        doing()
