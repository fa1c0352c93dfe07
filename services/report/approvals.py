"""Who has approved a report, in words for its pages. The signatures themselves are made and checked elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

NOT_APPROVED = "not approved yet"
NEEDED = 2
"""So many people approve a report, and whoever submits it is none of them."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What one person signed about the report that has this hash: `submit`, `approve` or `reject`, and when."""

    person: str
    action: str
    at: datetime


def approvals_in_words(approvals: Sequence[Approval]) -> str:
    """All signatures in their order; before them `not approved yet` while approvals are missing. Of a report that is approved or rejected they say so."""
    decided = any(each.action == "reject" for each in approvals) or sum(each.action == "approve" for each in approvals) >= NEEDED
    done = {"submit": "submitted", "approve": "approved", "reject": "rejected"}
    told = [f"{done.get(each.action, each.action)} by {each.person}, {each.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for each in approvals]
    if not told:
        return NOT_APPROVED
    return "; ".join(told if decided else [f"{NOT_APPROVED}: {told[0]}", *told[1:]])
