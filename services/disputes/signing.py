"""What has to be signed about a dispute, put together from its row."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from clearing.disputes import DisputeEvent, DisputeState
from clearing.two_people import Disputed, Opening, Ruling

OUTCOMES: Final = {DisputeEvent.UPHOLD: DisputeState.UPHELD, DisputeEvent.RELEASE: DisputeState.RELEASED}
"""What people decide, each with a signature."""


def disputed(programme: str, row: dict[str, Any]) -> Disputed:
    """What is disputed, by a row of the table `dispute`."""
    return Disputed(
        programme, row["day"], row["run"], row["line"], row["kind"], row["detail"], row["debtor"], row["creditor"], row["currency"], row["line_amount"],
        row["amount"], row["withheld"], row["decide_by"], row["reason"],
    )  # fmt: skip


def opening_of(programme: str, row: dict[str, Any], at: datetime) -> Opening:
    """What who opens it has to sign."""
    return Opening(disputed(programme, row), row["opened_by"], at)


def ruling_of(programme: str, row: dict[str, Any], outcome: DisputeState, who: str, note: str, at: datetime, opening: str | None) -> Ruling:
    """What who decides it has to sign. `opening`: the hash of what was signed when it was opened."""
    return Ruling(row["no"], disputed(programme, row), outcome, note, who, at, opening)
