"""Terms that can be written, and that this version reads and keeps but does not act on: nobody shall rely on them in silence."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.programme import ProgrammeFile
from services.programme.advice.advice import Advice
from services.settlement.calendar import known

CODE = "no-effect-yet"
WAY_OUT = "leave it in if it is agreed; nothing follows from it yet (docs/features.md)"


def terms_have_effect(file: ProgrammeFile) -> Iterator[Advice]:
    """Ways of entry, with what they will do once they are built (A7); limits that limit nothing (E8)."""
    programme = file.programme
    if programme.entry.kind != "open":
        will = f"everybody who is enrolled becomes a member; later, entry by {programme.entry.kind} will be asked for before"
        yield Advice(("programme", "entry", "kind"), CODE, f"entry: {programme.entry.kind} has no effect yet: {will}", WAY_OUT)
    for position, contract in enumerate(file.contracts):
        limit, issue = contract.limit, contract.issue
        if limit is not None and (issue is None or issue.currency != limit.currency):
            reason = f"{contract.party} gives no points in {limit.currency}: the limit holds none back"
            way_out = "name the limit in the currency of the issue price" if issue is not None else "leave it out"
            yield Advice(("contracts", position, "limit"), "limit-without-points", reason, way_out)


def holidays_are_known(file: ProgrammeFile) -> Iterator[Advice]:
    """Countries of the bank's calendar of which no holidays are known: payments could not be dated (A1, E7)."""
    for position, country in enumerate(file.programme.bank_calendar.holidays):
        if not known(country):
            way_out = "name the country by its two letters of ISO 3166, such as DE"
            yield Advice(("programme", "bank_calendar", "holidays", position), "unknown-country", f"no bank holidays are known of {country!r}", way_out)


CHECKS = (terms_have_effect, holidays_are_known)
