"""What verifying an export comes to: what does not hold, where, and what was looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from msgspec import MsgspecError

PROBLEMS_MAX: Final = 100
"""So many are named; one is enough to refuse an export."""
UNUSABLE: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    RecursionError,
    ZeroDivisionError,
    OverflowError,
    MsgspecError,
)
"""What content that is not what it should be makes of the steps."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not hold: in which file of the archive, at which entry where that can be told, and what."""

    file: str
    what: str
    entry: str | None = None


@dataclass(slots=True)
class Verdict:
    """What was found. `notes` are no faults: what a reader may want to know."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    programme: str | None = None
    window: str | None = None
    party: str | None = None
    entries: int = 0
    lines: int = 0
    heads: int = 0
    head_sha256: str | None = None
    settled: bool = False
    """Whether the export says that the window is settled, by whom its run was signed, and what was paid."""

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    def wrong(self, file: str, what: str, entry: str | None = None) -> None:
        """Notes a problem."""
        self.add(Problem(file, what, entry))

    def add(self, *problems: Problem) -> None:
        """Notes problems that were found elsewhere."""
        self.problems += problems[: max(0, PROBLEMS_MAX - len(self.problems))]
