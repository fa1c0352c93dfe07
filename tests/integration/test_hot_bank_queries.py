"""What is asked for each statement of the bank is answered from indexes, however many windows were paid before."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest

from services.journal.migrate import connect, drop, migrate, schema_of
from services.runtime.local import Addresses
from services.settlement import confirming, payment_moves, payment_states, recalled, recalling, statements, taking
from tests.integration.test_hot_queries import indexes, plan_of, read_whole

FILL = """
set session_replication_role = replica;
insert into settlement_window (day, state) select date '2025-01-01' + no, 'settled' from generate_series(1, 400) no;
update settlement_window set state = 'instructed' where day = '2026-02-05';
insert into run (day, sha256, report, reception) select day, 'x', '{"operator": "opco"}', '[]' from settlement_window order by day;
insert into payment (id, run, currency, payer, payee, amount, value_date, kind)
  select format('%s-EUR-%s', to_char(r.day, 'YYYYMMDD'), upper(substr(encode(sha256(convert_to(r.no || '/' || p, 'UTF8')), 'hex'), 1, 20))), r.no, 'EUR',
    case when p % 2 = 0 then 'opco' else 'p' || p end, case when p % 2 = 0 then 'p' || p else 'opco' end, 100, r.day,
    case when p % 2 = 0 then 'outgoing' else 'incoming' end
  from run r, generate_series(1, 40) p;
insert into payment_file select 'M-' || no, no, 1, encode(sha256('x'), 'hex'), 'x', now(), 'mia' from run;
insert into handed_over select message_id, now(), 'mia', 'x' from payment_file;
insert into payment_attempt select id, run, id, 1, 'M-' || run, 'M-1', value_date from payment where kind = 'outgoing';
insert into bank_message (kind, message_id, sha256, content, name, received_at) select 'statement', 'S-' || no, 'x', 'x', 'x', now() from run;
insert into bank_status select 1, row_number() over (), message_id, end_to_end_id, 'ACCP', 'accepted', '', '' from payment_attempt;
insert into bank_report (message, kind, iban, currency, id, sequence, year, from_date, to_date, opening, closing, sha256)
  select no, 'statement', 'DE89370400440532013000', 'EUR', 'S-' || no, no, 2026, day, day, 0, 0, 'x' from run where no < 400;
insert into bank_entry (report, line, bank_reference, amount, currency, credit, booked, booking_date, end_to_end_id, reference, remittance, counterparty,
    counterparty_iban, return_reason)
  select r.no, row_number() over (partition by p.run order by p.id), 'B', 100, 'EUR', p.kind = 'incoming', true, p.value_date,
    case when p.kind = 'outgoing' then p.id else '' end,
    case when p.kind = 'incoming' then right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) end, '', '', '', ''
  from payment p join bank_report r on r.sequence = p.run;
insert into statement_counted (report, at) select no, now() from bank_report order by sequence;
analyze;
"""
"""400 windows with 40 payments each; all but the last are settled by a statement each."""


@pytest.fixture(scope="module")
def books(addresses: Addresses) -> Iterator[psycopg.Connection]:
    schema = schema_of(f"hot-{secrets.token_hex(5)}")
    migrate(addresses.postgres_uri, schema)
    try:
        with connect(addresses.postgres_uri, schema, role=None, autocommit=True) as connection:
            connection.execute(FILL)
            yield connection
    finally:
        drop(addresses.postgres_uri, schema)


ACCOUNT = ("DE89370400440532013000", "EUR")
NAME = "20250102-EUR-0000"
HOT: dict[str, tuple[str, Any]] = {
    "payments of a run": (payment_states.PAYMENTS, (200,)),
    "attempts of a run": (payment_states.ATTEMPTS, {"run": 200, "made": ["ACSC", "ACCC"]}),
    "windows that are confirmed": (confirming.CONFIRMED, ()),
    "differences of settled windows": (confirming.DIFFERENCES, {"days": [date(2025, 3, 1)], "report": 200}),
    "payments that a statement moves": (payment_moves.MOVING, (200,)),
    "the last statement that counts": (statements.LAST, ACCOUNT),
    "payments of a file": (taking.OF_FILE, ("M-200",)),
    "a statement by its id": (taking.FIND_REPORT, ("statement", *ACCOUNT, "S-200")),
    "a statement by its number": (taking.FIND_NUMBER, (*ACCOUNT, 200, 2026)),
    "an attempt to recall": (recalling.FIND, {"id": NAME, "attempt": None}),
    "recalls of a run": (recalled.RECALLS, (200,)),
}


@pytest.mark.parametrize("what", HOT)
def test_a_question_about_the_bank_uses_indexes(books: psycopg.Connection, what: str) -> None:
    statement, arguments = HOT[what]
    plan = plan_of(books, statement, arguments)
    assert indexes(plan), plan
    assert read_whole(plan) & {"payment", "payment_attempt", "bank_entry", "bank_status", "handed_over"} == set(), plan
