"""Services and visits as their mechanics see them: one unit without a price."""

from __future__ import annotations

from decimal import Decimal

from clearing.basket import Basket, BasketLine, Remaining
from schemas.ids import PartyId
from tests.short import MONDAY, moment


def unit(party: str, service: str | None = None, *, at: str = "10:00", store: str | None = None, gone: bool = False) -> Basket:
    """What a party rendered on 2 March 2026; nothing where it was cancelled."""
    lines = [] if gone else [BasketLine(1, service, None, Remaining(0, Decimal(1)), 0, 0, ())]
    return Basket(PartyId(party), "EUR", moment(MONDAY, at), store, None, lines, 0)
