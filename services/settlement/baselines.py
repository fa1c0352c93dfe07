"""What of a defaulted run counts as paid for ever, and who bore what of its loss: what statements show later is put right against these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import psycopg

from clearing.entries import Code
from clearing.payment_states import PaymentKind
from schemas.ids import PartyId
from services.settlement.payment_states import Standing

KEEP = "insert into payment_baseline (run, payment, confirmed, excess) values (%s, %s, %s, %s)"
BASELINES = "select payment, confirmed from payment_baseline where run = %s"
# Losses of one default by who bore them; in the order of parties, so that a unit left over always falls to the same one.
LOSSES = """
select debtor, sum(amount)::bigint from correction
where day = %s and code = %s and creditor = %s and currency = %s and starts_with(reference, %s) group by debtor order by debtor
"""


def counted(one: Standing) -> int:
    """What of a payment counts as paid, in minor units: what statements show, up to its amount; all of one that the house's account never sees."""
    return one.amount_minor if one.kind is PaymentKind.DIRECT else min(one.confirmed_minor, one.amount_minor)


def keep_baselines(connection: psycopg.Connection, run: int, standings: Iterable[Standing]) -> None:
    """Keeps, in the caller's transaction, what of each payment of a run that has defaulted counts as paid."""
    for one in standings:
        connection.execute(KEEP, (run, one.id, counted(one), one.excess_minor))


def baselines(connection: psycopg.Connection, run: int) -> dict[str, int]:
    """By payment, in minor units; empty for a run that has not defaulted."""
    return dict(connection.execute(BASELINES, (run,)).fetchall())


def counted_for_window(one: Standing, kept: Mapping[str, int]) -> int:
    """What of a payment counts as paid for its window, in minor units: what was kept of it when its run defaulted, else what counts now."""
    return kept.get(one.id, counted(one))


def default_named(defaulter: str, day: date, run: int) -> str:
    """What the references of all entries of one party's default begin with."""
    return f"default of {defaulter} in {day}, run {run}, "


def losses(connection: psycopg.Connection, defaulter: str, currency: str, day: date, run: int) -> dict[PartyId, int]:
    """Who bore how much (minor units) of what a party had not paid of a run; empty where it has not defaulted, or its own funds covered all."""
    rows = connection.execute(LOSSES, (day, int(Code.DEFAULT_LOSS), defaulter, currency, default_named(defaulter, day, run)))
    return {PartyId(bearer): amount for bearer, amount in rows}
