"""The payment file of an approved window, from the books."""

from __future__ import annotations

from datetime import date

import psycopg

from services.bank.errors import BankCode, BankError
from services.bank.pain001 import message_id, payment_file
from services.journal.programmes import load
from services.settlement.payments import payments_of
from services.settlement.runs import newest_run


def file_of(connection: psycopg.Connection, programme: str, day: date) -> bytes:
    """The first file of the newest run: the same bytes however often it is asked for, as long as names and accounts stay what they are.

    Raises `BankError`: not-approved, and what `payment_file` raises; `SettlementError`: no-run.
    """
    run = newest_run(connection, day)
    approval = run.approved_by
    if approval is None or run.state != "approved":
        raise BankError(BankCode.NOT_APPROVED, f"window {day} is {run.state}: only what two people have approved is paid, and only once")
    file = load(connection)
    parties = {party.id: party for party in file.parties}
    return payment_file(message_id(programme, run.no), payments_of(connection, run.no), file.programme.operator.party, parties, approval.at)
