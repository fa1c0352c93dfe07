"""Whether what was put right in a window was put right about something, and by the right sums: asked before anybody signs, and by the verifier."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

import psycopg

from clearing.default_loss import recovered
from clearing.payment_states import PaymentKind
from schemas.ids import PartyId
from services.disputes.verify import verify_disputes
from services.journal.recompute import ASTRAY
from services.recon.verify import signed_breaks
from services.report.verify import Proof
from services.settlement.baselines import losses
from services.settlement.runs import SignedRun
from services.settlement.verify_messages import message_proofs

OF_WINDOW = f"select reference, debtor, creditor, amount, currency from ({ASTRAY}) a where a.day = %s order by a.no"  # noqa: S608  # text from elsewhere here
ANY = "select 1 from correction where day = %s limit 1"
# Payments of which something was put right in a window, with what statements that count show of each now beyond what was settled of it, or counted as paid.
PUT_RIGHT: Final = """
select p.run, p.id, r.day, p.kind, p.payer, p.payee, p.currency, b.run is not null defaulted, s.shown - coalesce(b.confirmed, p.amount) difference
from (select distinct k.run, k.payment from payment_correction k join correction c on c.no = k.correction where c.day = %s) put
join payment p on (p.run, p.id) = (put.run, put.payment) join run r on r.no = p.run left join payment_baseline b on (b.run, b.payment) = (p.run, p.id)
cross join lateral (
  select coalesce(sum(m.amount), 0)::bigint shown from entry_payment m join statement_counts c on c.report = m.report where (m.run, m.payment) = (p.run, p.id)
) s order by p.run, p.id
"""
# All that was put right of a payment, in whatever window: with what is booked of each; without a correction where it stays with the house.
SHARES: Final = """
select k.amount, c.debtor, c.creditor from payment_correction k left join correction c on c.no = k.correction where (k.run, k.payment) = (%s, %s)
"""
DECIDED: Final = """
select distinct split_part(split_part(reference, ' ', 2), '/', 1)::bigint from correction where day = %s and reference ~ %s order by 1
"""
A_DISPUTE: Final = "^dispute [0-9]+ "
A_BREAK: Final = "^recon [0-9]+/"


def correction_proofs(connection: psycopg.Connection, run: SignedRun, programme: str) -> Iterator[Proof]:
    """Proofs of a window with corrections; none for one without.

    Each is of a payment, a break, a dispute or a default; of a payment, statements read anew from the bank's messages show that sum; of a break or a dispute,
    two people have signed it.
    """
    if connection.execute(ANY, (run.day,)).fetchone() is None:
        return
    stray = connection.execute(OF_WINDOW, (run.day,)).fetchall()
    differs = "; ".join(f"{reference}: {debtor} owes {creditor} {amount} {currency}" for reference, debtor, creditor, amount, currency in stray[:3])
    yield Proof(run.no, run.day, "what was put right is of a payment, a break, a dispute or a default", not stray, f"of nothing: {differs}")
    yield from _of_payments(connection, run)
    yield from _of_people(connection, run, programme)


def _of_payments(connection: psycopg.Connection, run: SignedRun) -> Iterator[Proof]:
    """What was put right of each payment, all of it together, is what statements show; and these are in the bank's messages."""
    rows = connection.execute(PUT_RIGHT, (run.day,)).fetchall()
    wrong: list[str] = []
    runs: dict[int, date] = {}
    for of_run, payment, day, kind, payer, payee, currency, defaulted, difference in rows:
        runs[of_run] = day
        own, house = (payer, payee) if kind == PaymentKind.INCOMING else (payee, payer)
        bore = losses(connection, own, currency, day, of_run) if defaulted and kind == PaymentKind.INCOMING else {}
        expected = {party: share for party, share in recovered(difference, PartyId(own), bore).items() if share}
        booked: dict[PartyId, int] = {}
        for amount, debtor, creditor in connection.execute(SHARES, (of_run, payment)).fetchall():
            party = PartyId(house if debtor is None else creditor if debtor == house else debtor)
            booked[party] = booked.get(party, 0) + amount
        booked = {party: share for party, share in booked.items() if share}
        if expected != booked:
            wrong.append(f"payment {payment} of run {of_run}: statements show {_told(expected, currency)}, booked is {_told(booked, currency)}")
    if rows:
        yield Proof(run.no, run.day, "what was put right of payments is what statements show of them", not wrong, "; ".join(wrong[:3]))
    for of_run, day in runs.items():
        for proof in message_proofs(connection, of_run, day):
            yield Proof(run.no, run.day, f"{proof.what}, of run {of_run}, of which something was put right", proof.holds, proof.differs)


def _of_people(connection: psycopg.Connection, run: SignedRun, programme: str) -> Iterator[Proof]:
    """What two people have decided and is booked here is signed as the rows say."""
    disputes = [no for (no,) in connection.execute(DECIDED, (run.day, A_DISPUTE)).fetchall()]
    breaks = [no for (no,) in connection.execute(DECIDED, (run.day, A_BREAK)).fetchall()]
    failed = [f"dispute {one.no}: {one.what}: {one.differs}" for no in disputes for one in verify_disputes(connection, programme, no) if not one.holds]
    if breaks:
        failed += [f"break {one.no}: {one.what}: {one.differs}" for one in signed_breaks(connection, programme, breaks) if not one.holds]
    if disputes or breaks:
        what = f"what was put right of {len(disputes)} disputes and {len(breaks)} breaks is signed by the people who decided it"
        yield Proof(run.no, run.day, what, not failed, "; ".join(failed[:3]))


def _told(shares: dict[PartyId, int], currency: str) -> str:
    return ", ".join(f"{share} {currency} of {party}" for party, share in sorted(shares.items())) or "nothing"
