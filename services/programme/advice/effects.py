"""Terms that can be written, and that this version reads and keeps but does not act on: nobody shall rely on them in silence."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.programme import BankCalendar, ProgrammeFile
from services.programme.advice.advice import Advice

CODE = "no-effect-yet"
WAY_OUT = "leave it in if it is agreed; nothing follows from it yet (docs/features.md)"


def terms_have_effect(file: ProgrammeFile) -> Iterator[Advice]:
    """Ways of entry, bank days, default, limits of contracts: each with what it will do once it is built (features A7, A1, E9, E8)."""
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


CHECKS = (terms_have_effect,)
