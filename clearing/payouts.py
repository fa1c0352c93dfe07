"""When members are paid their cash-back: terms between the member and the payer, never an obligation (rule 23)."""

from calendar import monthrange
from datetime import date
from typing import NamedTuple

from schemas import mechanics as spec
from schemas.ids import MechanicId
from schemas.money import to_minor
from schemas.programme import ProgrammeFile


class PayoutTerms(NamedTuple):
    """How one mechanic's cash-back is paid. What is earned and not yet paid is kept for each member, payer and currency."""

    mechanic: MechanicId
    least_minor: int
    """Less is not yet paid, in minor units of the programme's first currency; in another currency anything above zero is."""
    due: bool
    """Whether this window pays: each one does, or the one of the month's last day."""


def payout_terms(file: ProgrammeFile, day: date) -> tuple[PayoutTerms, ...]:
    """The terms of a window's day, by mechanic: of the version with the latest `from` on or before it, also when that has ended, since a rest may be left.

    A mechanic that names neither a least payout nor months is paid as it is earned: its line in the reward detail is what the payer pays.
    """
    latest: dict[MechanicId, spec.CashBack] = {}
    for entry in file.mechanics:
        if isinstance(entry, spec.CashBack) and entry.valid_from <= day and (entry.id not in latest or latest[entry.id].valid_from <= entry.valid_from):
            latest[entry.id] = entry
    last_of_month = day.day == monthrange(day.year, day.month)[1]
    currency = file.programme.currencies[0]

    def least_of(entry: spec.CashBack) -> int:
        return 1 if entry.least_payout is None else max(1, to_minor(entry.least_payout, currency))

    return tuple(
        PayoutTerms(entry.id, least_of(entry), entry.payout == "each_window" or last_of_month)
        for entry in latest.values()
        if entry.least_payout is not None or entry.payout == "monthly"
    )
