"""Whether what was put right in a window was put right about something: asked before anybody signs, and by the verifier."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from services.journal.recompute import ASTRAY
from services.report.verify import Proof
from services.settlement.runs import SignedRun

OF_WINDOW = f"select reference, debtor, creditor, amount, currency from ({ASTRAY}) a where a.day = %s order by a.no"  # noqa: S608  # text from elsewhere here
ANY = "select 1 from correction where day = %s limit 1"


def correction_proofs(connection: psycopg.Connection, run: SignedRun) -> Iterator[Proof]:
    """One proof for a window with corrections: each is of a payment, a break, a dispute or a default. None for one without."""
    if connection.execute(ANY, (run.day,)).fetchone() is None:
        return
    stray = connection.execute(OF_WINDOW, (run.day,)).fetchall()
    differs = "; ".join(f"{reference}: {debtor} owes {creditor} {amount} {currency}" for reference, debtor, creditor, amount, currency in stray[:3])
    yield Proof(run.no, run.day, "what was put right is of a payment, a break, a dispute or a default", not stray, f"of nothing: {differs}")
