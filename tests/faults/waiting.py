"""Waiting for an answer, never for time."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 60.0


def until(answer: Callable[[], bool], *, doing: Callable[[], object] = lambda: time.sleep(0.01)) -> None:
    """Asks until the answer is yes, doing something meanwhile; fails after a minute."""
    deadline = time.monotonic() + PATIENCE_S
    while not answer():
        assert time.monotonic() < deadline, "waited for a minute in vain"
        doing()
