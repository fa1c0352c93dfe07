"""A window whose payments are with the bank and in which one party has paid nothing, and its further run: for tests of what follows from a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import Final

from clearing.entries import Code
from clearing.night import run_night
from schemas.ids import PartyId
from services.journal.corrections import book_correction
from services.runtime.local import Addresses
from tests.bills import vouch
from tests.coalition import coalition
from tests.paying import ACCOUNTS, AtTheBank, spend
from tests.signers import MONDAY, Signers, netted

OWED: Final = {"fuelco": 3000, "cafe": 2000}
"""What the grocer owes others beside the operator, in cents."""


@contextmanager
def instructed(people: AbstractContextManager[Signers], folder: Path) -> Iterator[tuple[Signers, AtTheBank]]:
    """Monday's payments of the operator are confirmed; the grocer has paid nothing."""
    with people as signers, signers.one.books() as books:
        one = AtTheBank(books, signers.one.id, folder)
        one.pay()
        one.take(one.statement(one.debit("fuelco"), one.debit("cafe")))
        one.match()
        yield signers, one


@contextmanager
def sharing(addresses: Addresses, *changes: tuple[str, str], owed: Mapping[str, int] = OWED, days: Sequence[date] = (MONDAY,)) -> Iterator[Signers]:
    """As `approved`, where the grocer owes the fuel company and the cafe too, and those whom a defaulter owes bear the loss; all `days` are netted."""
    with coalition(addresses, *ACCOUNTS, ("loss: operator", "loss: shared"), *changes, day=MONDAY) as one:
        spend(one)
        with one.books() as books:
            for creditor, amount in owed.items():
                pair = (PartyId("grocer"), PartyId(creditor))
                book_correction(books, Code.ADJUSTMENT, *pair, "EUR", amount, reference=f"of {creditor}", reason="a bill", by="mia")
        vouch(one)
        with netted(one, *days) as signers:
            signers.approve()
            yield signers


def again(signers: Signers) -> None:
    """The night makes the further run, which is approved."""
    night = signers.one.house.night(signers.one.id, lambda _night, _day: None)
    with night.connection:
        run_night(MONDAY, night.plan.file, night)
    signers.approve()
