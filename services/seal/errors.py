"""What stops sealing and exporting: sentences for people; none of it is cured by trying again."""

from datetime import date
from pathlib import Path


class SealError(Exception):
    """Base of what this package refuses."""


class BadKey(SealError):
    """A file of keys that cannot be used."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path


class NotSealed(SealError):
    """The window has no seal, so there is nothing to export."""

    def __init__(self, day: date) -> None:
        super().__init__(f"window {day} is not sealed")
        self.day = day


class NotSettled(SealError):
    """The window is not settled, so it has no result to seal."""

    def __init__(self, day: date) -> None:
        super().__init__(f"window {day} is not settled: only then its result can be sealed")
        self.day = day


class NotProven(SealError):
    """What the rows say of the approval of a settled window is not what people have signed: its result is not sealed."""


class NotCleared(SealError):
    """The window has no run that stands, so there is nothing to seal."""

    def __init__(self, day: date) -> None:
        super().__init__(f"window {day} is not netted: only then it can be sealed")
        self.day = day


class NoSuchParty(SealError):
    """The seal has no tree of that party."""

    def __init__(self, party: str, known: list[str]) -> None:
        super().__init__(f"the books have no party {party}; they have {', '.join(known)}")
        self.party = party
