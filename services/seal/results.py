"""Seals what became of a window, once it is settled: who signed its run, with which key, and how each payment stands by the bank's statements.

A second head in the chain, behind that of the window's entries: the tree over the parties stands again, each party's leaf being its payments, so a partner
is shown its own and can be shown no fewer. The signatures are everybody's: they stand on each report.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg

from clearing.approval import Action
from clearing.merkle import Tree
from clearing.seal import canonical, payments_leaf, ranged, sha256
from services.journal.programmes import load
from services.runtime.progress import Progress, silent
from services.seal import statements as sql
from services.seal.chain import close_link, lock_chain, next_link
from services.seal.errors import NotProven, NotSealed, NotSettled
from services.seal.keys import Signer
from services.settlement.errors import SettlementError
from services.settlement.payment_states import Standing, states_of
from services.settlement.runs import SignedRun, newest_run
from services.settlement.verify_approval import require_approval

RESULTS = "results sealed"


def seal_results_due(connection: psycopg.Connection, signer: Signer, progress: Progress = silent) -> list[date]:
    """Seals the results of all windows that are settled and whose results are not sealed, oldest first; returns their days. Twice is once.

    Raises `NotProven` of the first whose approval is not what people have signed, when all others are sealed.
    """
    sealed: list[date] = []
    refused: list[NotProven] = []
    due = connection.execute(sql.RESULTS_DUE).fetchall()
    for done, (day,) in enumerate(due):
        progress(RESULTS, done, len(due))
        try:
            sealed += [day] if seal_result(connection, signer, day) else []
        except NotProven as forged:
            refused.append(forged)
    progress(RESULTS, len(due), len(due))
    if refused:
        raise refused[0]
    return sealed


def seal_result(connection: psycopg.Connection, signer: Signer, day: date) -> bool:
    """Seals the result of a settled window, in one transaction; returns False where it is sealed already.

    Raises `NotSettled`, and `NotSealed` where the entries of its run are not sealed yet; `NotProven` where nobody has signed what
    its rows say: what is false is not sealed.
    """
    with connection.transaction():
        lock_chain(connection)
        row = connection.execute(sql.OF_DAY, {"day": day}).fetchone()
        state = connection.execute(sql.STATE, (day,)).fetchone()
        if state is None or state[0] != "settled":
            raise NotSettled(day)
        run = newest_run(connection, day)
        if row is None or row[2] != run.no:
            raise NotSealed(day)
        if connection.execute(sql.RESULT_OF, (run.no,)).fetchone() is not None:
            return False
        _proven(connection, run)
        told = {"run": run.no, "report_sha256": run.sha256}
        parties = [party for party, _ in connection.execute(sql.PARTIES, (row[0],)).fetchall()]
        standing = states_of(connection, run.no)
        payments = {party: [_payment(one) for one in standing if party in (one.payer, one.payee)] for party in parties}
        signatures = _signatures(connection, run)
        tree = Tree(ranged)
        for party in parties:
            tree.add(payments_leaf(party, canonical(payments[party])))
        link = next_link(connection)
        close_link(connection, link, signer, day, told, tree.root().hash, parties=len(parties), leaves=len(parties), signatures=sha256(canonical(signatures)))
        connection.execute(sql.KEEP_RESULT, (link.number, canonical({"signatures": signatures, "payments": payments}).decode()))
    return True


def _proven(connection: psycopg.Connection, run: SignedRun) -> None:
    try:
        require_approval(connection, run, load(connection).programme.id)
    except SettlementError as refusal:
        raise NotProven(f"{refusal} [{refusal.code}]") from None


def _payment(one: Standing) -> dict[str, Any]:
    """A payment as it is sealed: amounts in minor units, what statements show of it, and which."""
    return {
        "id": one.id, "kind": one.kind.value, "currency": one.currency, "payer": one.payer, "payee": one.payee, "amount_minor": one.amount_minor,
        "value_date": one.value_date.isoformat(), "state": one.state.value, "confirmed_minor": one.confirmed_minor, "statements": list(one.statements),
    }  # fmt: skip


def _signatures(connection: psycopg.Connection, run: SignedRun) -> list[dict[str, Any]]:
    """Submission and approvals up to the one by which the run was approved, in their order; with what was signed, so that it can be proved from here."""
    programme, last = load(connection).programme.id, run.approved_by
    return [
        {
            "statement": one.statement(programme).document(),
            "public_key": one.key.public_key.hex(),
            "signature": one.signature.hex(),
        }
        for one in run.signatures
        if last is not None and one.no <= last.no and one.key is not None and one.key.held_at(last.no) and one.action is not Action.REJECT
    ]
