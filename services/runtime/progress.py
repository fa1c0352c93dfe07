"""How long work tells how far it is. The command line draws it; tests and processes leave it out."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with the step's sentence, how much is done, and of how much (None: not known). `done == total` ends the step."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


def silent(step: str, done: int, total: int | None) -> None:
    """Progress that nobody looks at."""
