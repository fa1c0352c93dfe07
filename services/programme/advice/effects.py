"""Terms that can be written, and that this version reads and keeps but does not act on: nobody shall rely on them in silence."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.mechanics import CashBack
from schemas.programme import BankCalendar, ProgrammeFile
from services.programme.advice.advice import Advice

CODE = "no-effect-yet"
WAY_OUT = "leave it in if it is agreed; nothing follows from it yet (docs/features.md)"


def terms_have_effect(file: ProgrammeFile) -> Iterator[Advice]:
    """Ways of entry, bank days, default, limits of contracts, payout of cash-back: each with what it will do once it is built (A7, A1, E9, E8, F2)."""
    programme = file.programme
    if programme.entry.kind != "open":
        will = f"everybody who is enrolled becomes a member; later, entry by {programme.entry.kind} will be asked for before"
        yield Advice(("programme", "entry", "kind"), CODE, f"entry: {programme.entry.kind} has no effect yet: {will}", WAY_OUT)
    if programme.bank_calendar != BankCalendar():
        will = "payments have no value date; later they will move to the next bank day"
        yield Advice(("programme", "bank_calendar"), CODE, f"bank_calendar has no effect yet: {will}", WAY_OUT)
    if programme.default is not None:
        will = "later, who does not pay within deadline_days will be taken out of the netting, and loss says who bears what it owes"
        yield Advice(("programme", "default"), CODE, f"default has no effect yet: {will}", WAY_OUT)
    for position, contract in enumerate(file.contracts):
        if contract.limit is not None:
            will = f"later, events that would put {contract.party} further into debt than its cap and what it prefunded will be refused"
            yield Advice(("contracts", position, "limit"), CODE, f"limit has no effect yet: {will}", WAY_OUT)
    for position, mechanic in enumerate(file.mechanics):
        if isinstance(mechanic, CashBack):
            will = "cash-back is owed to the payer when it is earned; later the payer will be told what it is to pay to whom"
            for field, written in (("least_payout", mechanic.least_payout is not None), ("payout", mechanic.payout != "each_window")):
                if written:
                    yield Advice(("mechanics", position, field), CODE, f"{field} has no effect yet: {will}", WAY_OUT)


CHECKS = (terms_have_effect,)
