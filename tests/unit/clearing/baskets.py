"""Baskets and compiled mechanics for tests that ask a mechanic alone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter

from clearing.basket import Basket, basket_of
from clearing.card_transactions import card_basket
from clearing.events import Received
from clearing.mechanics import Mechanic, build
from schemas import mechanics as spec
from schemas.ids import PartyId, RecordId
from tests.short import Json, card, moment, purchase, read
from tests.unit.clearing.coalition import FIRST

GROCER = PartyId("grocer")
ENTRY: TypeAdapter[spec.Mechanic] = TypeAdapter(spec.Mechanic)
EURO = {"amount": "1.00", "currency": "EUR"}


def basket(*lines: Json, local: datetime | None = None, **terms: Any) -> Basket:
    """What the grocer sold, on 2 March 2026 at 10:00 unless told; `terms` are those of a purchase."""
    return basket_of(read(purchase("e1", lines, **terms)).data, GROCER, local or moment())


def spent(amount: int, mcc: str = "5411", *, currency: str = "EUR", local: datetime | None = None) -> Basket:
    """What a card was used for."""
    at = local or moment()
    event = read(card("t1", amount, mcc, currency=currency))
    return card_basket(Received(RecordId(1), at, event, PartyId("bank1")), at, amount)


def entry(kind: str, **terms: Any) -> spec.Mechanic:
    """An entry of a programme file, called by its kind; `for_` stands for `for`."""
    told = {("for" if name == "for_" else name): value for name, value in terms.items()}
    return ENTRY.validate_python({"id": kind, "kind": kind, "from": FIRST, **told})


def compiled(kind: str, *before: spec.Mechanic, **terms: Any) -> Mechanic:
    """A compiled mechanic; `before` are the entries above it."""
    return build(entry(kind, **terms), before, "EUR")


def worth(mechanic: Mechanic, *lines: Json, **terms: Any) -> int:
    """What a mechanic by itself gives for a purchase."""
    return mechanic.value(basket(*lines, **terms), {})


def day(text: str) -> date:
    """A day of the calendar."""
    return date.fromisoformat(text)
