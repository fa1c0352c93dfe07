"""What runs of a window had settled when a party defaulted, who had not paid, and who bears it: as the books of the default say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import psycopg

from clearing.default_loss import Borne, Unpaid
from clearing.entries import Code
from schemas.ids import PartyId
from services.settlement.baselines import baselines, counted_for_window, default_named
from services.settlement.payment_states import states_of

INSTRUCTED = "select distinct run from window_move where day = %s and event = 'instructed' and run is not null order by run"
DEFAULTED = """
select r.no, r.sha256 from window_move m join run r on r.no = m.run where m.day = %s and m.event = 'unpaid_at_deadline' order by r.no
"""
# What the default of one run booked: the defaulter is the creditor, since what others bear is not owed by it any more.
BOOKED = """
select code, debtor, creditor, currency, amount, reference from correction where day = %s and code = any(%s) order by currency, creditor, code, debtor
"""

Paid = Mapping[tuple[str, PartyId, PartyId], int]
"""By currency, payer and payee, in minor units; never zero."""


@dataclass(frozen=True, slots=True)
class DefaultedRun:
    """A run that was with the bank when parties defaulted. `paid`: what counted as paid then; `borne`: the defaulters' own funds, and the losses."""

    no: int
    sha256: str
    paid: Paid
    borne: tuple[Borne, ...]

    @property
    def unpaid(self) -> tuple[Unpaid, ...]:
        """What was missing, by currency and party, with what of it the party's own funds covered: all of it is borne by somebody."""
        sums: dict[tuple[str, PartyId], list[int]] = {}
        for one in self.borne:
            of_party = sums.setdefault((one.currency, one.defaulter), [0, 0])
            of_party[0] += one.amount_minor
            of_party[1] += one.amount_minor if one.code is Code.ADJUSTMENT else 0
        return tuple(Unpaid(party, currency, missing, funds) for (currency, party), (missing, funds) in sorted(sums.items()))

    @property
    def losses(self) -> tuple[Borne, ...]:
        """What funds did not cover, by currency, defaulter and bearer."""
        return tuple(one for one in self.borne if one.code is Code.DEFAULT_LOSS)

    @property
    def defaulters(self) -> tuple[PartyId, ...]:
        """Who had not paid."""
        return tuple(sorted({one.defaulter for one in self.borne}))


def instructed_runs(connection: psycopg.Connection, day: date) -> list[int]:
    """The runs of a window that went to the bank, in their order."""
    return [int(no) for (no,) in connection.execute(INSTRUCTED, (day,))]


def paid_under(connection: psycopg.Connection, run: int) -> Paid:
    """What counts as paid under a run: what statements show, at its default if it has defaulted; what is shown later is put right by adjustments."""
    paid: dict[tuple[str, PartyId, PartyId], int] = {}
    kept = baselines(connection, run)
    for one in states_of(connection, run):
        key = (one.currency, PartyId(one.payer), PartyId(one.payee))
        paid[key] = paid.get(key, 0) + counted_for_window(one, kept)
    return {key: amount for key, amount in sorted(paid.items()) if amount}


def defaulted_runs(connection: psycopg.Connection, day: date) -> list[DefaultedRun]:
    """The runs of a window that defaulted, oldest first; none for nearly all windows."""
    runs = connection.execute(DEFAULTED, (day,)).fetchall()
    booked = connection.execute(BOOKED, (day, [int(Code.ADJUSTMENT), int(Code.DEFAULT_LOSS)])).fetchall() if runs else []
    found = []
    for no, sha256 in runs:
        borne = tuple(
            Borne(Code.ADJUSTMENT if code == Code.ADJUSTMENT else Code.DEFAULT_LOSS, PartyId(bearer), PartyId(defaulter), currency, amount)
            for code, bearer, defaulter, currency, amount, reference in booked
            if reference == f"{default_named(defaulter, day, no)}{currency}, {bearer}"
        )
        found.append(DefaultedRun(no, sha256, paid_under(connection, no), borne))
    return found
