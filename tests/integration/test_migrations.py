"""The books are made from nothing, brought up to date as often as anybody asks, and come out the same however they got there."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import psycopg
import pytest

from services.journal import migrate as migrate_module
from services.journal.migrate import (
    ADDED_TO,
    ADMINISTERED,
    APPEND_ONLY,
    APPLICATION_ROLE,
    CHANGEABLE,
    CHANGED_IN_PART,
    CONSUMED,
    READER_ROLE,
    add_month,
    connect,
    migrate,
)
from services.runtime.local import Addresses
from tests.migrating import books_of_version, namespace, shape

VERSIONS = Path(migrate_module.__file__).parent / "migrations" / "versions"


@pytest.fixture
def uri(addresses: Addresses) -> str:
    return addresses.postgres_uri


def test_books_are_made_from_nothing(uri: str) -> None:
    with namespace(uri) as schema:
        migrate(uri, schema)
        tables = {str(row[0]) for row in shape(uri, schema)["columns"]}
        assert {"transfer", "entry", "identity", "total", "lot", "member", "card", "outbox", "settlement_window", "run", "migration"} <= tables
        with connect(uri, schema) as connection:
            assert connection.execute("select count(*) from transfer").fetchone() == (0,)


def test_migrating_again_changes_nothing(uri: str) -> None:
    with namespace(uri) as schema:
        migrate(uri, schema)
        before = shape(uri, schema)
        migrate(uri, schema)
        assert shape(uri, schema) == before


def test_books_made_at_different_times_are_the_same(uri: str) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(namespace(uri)) for _ in range(2))
        migrate(uri, one)
        migrate(uri, other)
        assert shape(uri, one) == shape(uri, other)


def test_several_processes_may_migrate_at_once(uri: str) -> None:
    with ExitStack() as stack:
        schema, alone = (stack.enter_context(namespace(uri)) for _ in range(2))
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(migrate, uri, schema) for _ in range(4)]:
                done.result()
        migrate(uri, alone)
        assert shape(uri, schema) == shape(uri, alone)


def test_what_waits_for_the_night_goes_on_waiting_from_version_1_to_version_2(uri: str) -> None:
    waits = "insert into deferred (record, day, received_at) values (%s, '2026-03-02', '2026-03-02 12:00Z') on conflict do nothing"
    with books_of_version(uri, "0001") as old, old.open() as books:
        books.execute(waits, (1,))
        old.bring_up_to_date()
        books.execute(waits, (2,))  # by a process of the old version
        rows = books.execute("select record, day, sale, room from deferred order by record").fetchall()
        assert rows == [(no, date(2026, 3, 2), None, None) for no in (1, 2)]


def test_old_code_goes_on_clearing_at_version_3_and_its_runs_stay(uri: str) -> None:
    netted = "insert into run (day, sha256, report, reception) values (%s, 'ab', '{}', '[]')"
    with books_of_version(uri, "0002") as old, old.open() as books:
        for day in ("2026-03-02", "2026-03-03"):
            books.execute("insert into settlement_window (day, state) values (%s, 'closed')", (day,))
        books.execute(netted, ("2026-03-02",))
        books.execute("update settlement_window set state = 'netted', booked = true where day = '2026-03-02' and state = 'closed'")
        old.bring_up_to_date()
        books.execute(netted, ("2026-03-03",))  # by a process of the old version
        books.execute("update settlement_window set state = 'netted', booked = true where day = '2026-03-03' and state = 'closed'")
        assert books.execute("select no, replaces from run order by no").fetchall() == [(1, None), (2, None)]


def test_books_of_version_3_get_payments_and_keep_what_was_signed(uri: str) -> None:
    with books_of_version(uri, "0003") as old, old.open(role=None) as owner, old.open() as books:
        owner.execute("insert into person (name, enrolled_at) values ('mia', now())")
        owner.execute("insert into person_key (person, public_key, enrolled_at) values ('mia', decode(repeat('ab', 32), 'hex'), now())")
        books.execute("insert into settlement_window (day, state) values ('2026-03-02', 'netted')")
        books.execute("insert into run (day, sha256, report, reception) values ('2026-03-02', encode(sha256('{}'), 'hex'), '{}', '[]')")
        books.execute(
            "insert into signature (run, day, action, person, key, report_sha256, at, signature) "
            "select no, day, 'submit', 'mia', 1, sha256, now(), decode(repeat('00', 64), 'hex') from run"
        )
        old.bring_up_to_date()
        assert books.execute("select count(*) from signature").fetchone() == (1,)
        books.execute("insert into payment (id, run, currency, payer, payee, amount, value_date) values ('a', 1, 'EUR', 'x', 'y', 1, '2026-03-03')")


def test_payments_of_version_7_learn_which_way_they_go_and_old_code_stores_more(uri: str) -> None:
    pay = "insert into payment (id, run, currency, payer, payee, amount, value_date) values (%s, 1, 'EUR', %s, %s, 1, '2026-03-03')"
    ways = [("a", "opco", "y", "outgoing"), ("b", "x", "opco", "incoming"), ("c", "x", "y", "direct")]
    with books_of_version(uri, "0007") as old, old.open() as books:
        books.execute("insert into settlement_window (day, state) values ('2026-03-02', 'netted')")
        books.execute("insert into run (day, sha256, report, reception) values ('2026-03-02', 'ab', '{\"operator\": \"opco\"}', '[]')")
        for name, payer, payee, _ in ways:
            books.execute(pay, (name, payer, payee))
        old.bring_up_to_date()
        for name, payer, payee, _ in ways:
            books.execute(pay, (f"{name}2", payer, payee))
        found = books.execute("select id, kind from payment order by id").fetchall()
    assert found == [(name + more, kind) for name, _, _, kind in ways for more in ("", "2")]


def test_seals_of_version_10_stay_old_code_seals_on_and_the_application_can_no_longer_empty_a_leaf(uri: str) -> None:
    keep = "insert into seal (no, day, run, root, leaves, head, sha256, key, signature) values (%s, '2026-03-02', %s, '', 1, '{}', 'ab', 'k', '')"
    may = "select has_column_privilege('clh_app', 'seal_leaf', 'salt', 'update')"
    with books_of_version(uri, "0010") as old, old.open(role=None) as owner:
        owner.execute("grant update (salt, personal, member) on seal_leaf to clh_app")  # as books had it that were made at that version
        for day in ("2026-03-02", "2026-03-03"):
            owner.execute("insert into settlement_window (day, state) values (%s, 'netted')", (day,))
            owner.execute("insert into run (day, sha256, report, reception) values (%s, 'ab', '{}', '[]')", (day,))
        owner.execute(keep, (1, 1))
        old.bring_up_to_date()
        owner.execute(keep, (2, 2))
        assert owner.execute("select no, run, settled from seal order by no").fetchall() == [(1, 1, False), (2, 2, False)]
        assert owner.execute(may).fetchone() == (False,)
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute(keep, (3, 2))


def test_old_code_goes_on_closing_windows_at_version_12_and_payouts_begin_at_nothing(uri: str) -> None:
    close = "update settlement_window set state = 'closed' where day = %s"
    with books_of_version(uri, "0011") as old, old.open() as books:
        for day in ("2026-03-02", "2026-03-03"):
            books.execute("insert into settlement_window (day, state) values (%s, 'draining')", (day,))
        books.execute(close, ("2026-03-02",))
        old.bring_up_to_date()
        books.execute(close, ("2026-03-03",))  # by a process of the old version
        assert books.execute("select count(*) from cash_back_account").fetchone() == (0,)
        assert books.execute("select count(*) from cash_back_payout").fetchone() == (0,)


def test_payments_of_version_12_have_no_accounts_and_old_code_stores_more_of_them(uri: str) -> None:
    pay = "insert into payment (id, run, currency, payer, payee, amount, value_date) values (%s, 1, 'EUR', 'opco', 'y', 1, '2026-03-03')"
    with books_of_version(uri, "0012") as old, old.open() as books:
        books.execute("insert into settlement_window (day, state) values ('2026-03-02', 'netted')")
        books.execute("insert into run (day, sha256, report, reception) values ('2026-03-02', 'ab', '{\"operator\": \"opco\"}', '[]')")
        books.execute(pay, ("a",))
        old.bring_up_to_date()
        books.execute(pay, ("b",))  # by a process of the old version
        assert books.execute("select id, payer_iban, payee_iban from payment order by id").fetchall() == [("a", None, None), ("b", None, None)]


def test_differences_put_right_at_version_12_stay_and_one_may_have_several_corrections(uri: str) -> None:
    keep = "insert into payment_correction (run, payment, report, amount, correction) values (1, 'P-1', 1, 5, %s)"
    with books_of_version(uri, "0012") as old, old.open(role=None) as books:
        books.execute("set session_replication_role = replica")  # what the rows refer to does not matter here
        books.execute(keep, (1,))
        old.bring_up_to_date()
        for correction in (2, None):
            books.execute(keep, (correction,))
        for correction in (1, None):
            with pytest.raises(psycopg.errors.UniqueViolation):
                books.execute(keep, (correction,))
        assert books.execute("select correction from payment_correction order by 1").fetchall() == [(1,), (2,), (None,)]
        assert books.execute("select count(*) from payment_baseline").fetchone() == (0,)


def test_what_the_bank_said_at_version_15_stays_and_what_it_says_both_ways_is_contradicted_from_version_18_on(uri: str) -> None:
    columns = "message, line, original_message_id, end_to_end_id, status, fact, reason_code, reason_text"
    said = f"insert into bank_status ({columns}) values (1, %s, 'F', 'P', %s, %s, '', '')"  # noqa: S608
    with books_of_version(uri, "0015") as old, old.open(role=None) as books:
        books.execute("set session_replication_role = replica")  # what the rows refer to does not matter here
        books.execute(said, (1, "RJCT", "rejected"))
        old.bring_up_to_date()
        assert books.execute("select payment_contradicted('P', 'F'), payment_verdict('P')").fetchone() == (False, None)
        books.execute(said, (2, "ACSC", "accepted"))
        assert books.execute("select payment_contradicted('P', 'F'), bank_heard('P', null)").fetchone() == (True, 1)


def test_what_was_decided_about_the_bank_at_version_18_stays_and_a_key_revoked_by_then_had_signed_it_before(uri: str) -> None:
    decided = (
        "insert into bank_decision (end_to_end_id, verdict, known, decides, reason, person, key, at, document, signature) "
        "values ('P', 'not paid', %s, false, 'so', 'mia', 1, now(), '{}', decode(repeat('00', 64), 'hex'))"
    )
    revoked = "insert into key_revocation (key, at, reason, after_signature) values (%s, now(), 'lost', 0)"
    with books_of_version(uri, "0018") as old, old.open(role=None) as books:
        books.execute("insert into person (name, enrolled_at) values ('mia', now())")
        books.execute("set session_replication_role = replica")  # which payment it is about does not matter here
        for key in ("01", "02"):
            books.execute("insert into person_key (person, public_key, enrolled_at) values ('mia', decode(repeat(%s, 32), 'hex'), now())", (key,))
        books.execute(decided, (1,))
        books.execute(revoked, (1,))
        old.bring_up_to_date()
        assert books.execute("select verdict, entry, party from bank_decision").fetchall() == [("not paid", None, None)]
        books.execute(decided, (2,))  # as old code writes it
        books.execute("set session_replication_role = origin")
        books.execute(revoked, (2,))
        assert books.execute("select key, after_bank_decision from key_revocation order by key").fetchall() == [(1, 1), (2, 2)]


def test_files_noted_at_version_19_still_go_and_only_from_then_on_one_is_put_aside(uri: str) -> None:
    decided = (
        "insert into bank_decision (end_to_end_id, verdict, known, decides, reason, person, key, at, document, signature) "
        "values ('P', 'not paid', 0, true, 'so', 'mia', 1, now(), '{}', decode(repeat('00', 64), 'hex'))"
    )
    with books_of_version(uri, "0019") as old, old.open(role=None) as books:
        books.execute("set session_replication_role = replica")  # of which run they are does not matter here
        books.execute("insert into payment_attempt values ('P', 1, 'P', 1, 'F', 'B', '2026-03-05')")
        old.bring_up_to_date()
        assert books.execute("select file_put_aside('F')").fetchone() == (False,)
        books.execute(decided)
        assert books.execute("select file_put_aside('F')").fetchone() == (True,)
        books.execute("insert into handed_over values ('F', now(), 'mia', 'out')")
        assert books.execute("select file_put_aside('F')").fetchone() == (False,)


def test_statements_that_counted_at_version_20_count_and_those_that_were_withdrawn_do_not(uri: str) -> None:
    withdrawn = (
        "insert into bank_decision (report, verdict, known, decides, reason, person, key, at, document, signature) "
        "values (2, 'withdrawn', 1, true, 'so', 'mia', 1, now(), '{}', decode(repeat('00', 64), 'hex'))"
    )
    counted = "insert into statement_counted (report, at) values (%s, now())"
    with books_of_version(uri, "0020") as old, old.open(role=None) as books:
        books.execute("set session_replication_role = replica")  # which statements they are does not matter here
        for no in (1, 2):
            books.execute(counted, (no,))
        books.execute(withdrawn)
        old.bring_up_to_date()
        assert books.execute("select report from statement_counts").fetchall() == [(1,)]
        books.execute(counted, (3,))  # as old code writes it
        assert books.execute("select report from statement_counts order by no").fetchall() == [(1,), (3,)]
        books.execute("set session_replication_role = origin")
        with pytest.raises(psycopg.errors.RestrictViolation, match="withdrawn"):
            books.execute(counted, (2,))


def test_what_was_decided_about_the_bank_at_version_23_stands_and_can_be_undone_from_then_on(uri: str) -> None:
    decided = (
        "insert into bank_decision (end_to_end_id, verdict, known, decides, reason, person, key, at, document, signature) "
        "values (%s, 'not paid', 0, true, 'so', 'mia', 1, now(), '{}', decode(repeat('00', 64), 'hex'))"
    )
    undone = (
        "insert into bank_decision (end_to_end_id, verdict, undoes, known, decides, reason, person, key, at, document, signature) "
        "values ('P', 'undone', 1, 0, true, 'so', 'mia', 1, now(), '{}', decode(repeat('00', 64), 'hex'))"
    )
    verdicts = "select payment_verdict('P'), payment_verdict('Q')"
    with books_of_version(uri, "0023") as old, old.open(role=None) as books:
        books.execute("set session_replication_role = replica")  # about which payments it is does not matter here
        books.execute(decided, ("P",))
        old.bring_up_to_date()
        assert books.execute("select no, end_to_end_id from bank_decided").fetchall() == [(1, "P")]
        books.execute(decided, ("Q",))  # as old code writes it
        assert books.execute(verdicts).fetchone() == ("not paid", "not paid")
        books.execute(undone)
        assert books.execute(verdicts).fetchone() == (None, "not paid")
        assert books.execute("select no from bank_decided").fetchall() == [(2,)]


def test_attempts_of_version_24_are_sent_again_as_before_and_not_while_an_earlier_one_may_be_made(uri: str) -> None:
    tried = "insert into payment_attempt values (%s, 1, 'P', %s, %s, 'B', '2026-03-05')"
    columns = "message, line, end_to_end_id, original_message_id, status, fact, reason_code, reason_text"
    said = f"insert into bank_status ({columns}) values (%s, 0, %s, %s, %s, %s, '', '')"  # noqa: S608
    with books_of_version(uri, "0024") as old, old.open(role=None) as books:
        books.execute("set session_replication_role = replica")  # of which run they are does not matter here
        for no, (name, file) in enumerate((("P", "F1"), ("P-2", "F2")), start=1):
            books.execute(tried, (name, no, file))
            books.execute(said, (no, name, file, "RJCT", "rejected"))
        old.bring_up_to_date()
        refused = books.execute("select attempt_refused('P', 'F1'), attempt_refused('P-2', 'F2'), attempt_refused('Q', 'F3')").fetchone()
        assert refused == (True, True, False)
        books.execute("alter table payment_attempt enable always trigger check_attempt")
        with books.transaction(force_rollback=True):
            books.execute(tried, ("P-3", 3, "F3"))
        books.execute("delete from bank_status where end_to_end_id = 'P'")
        with pytest.raises(psycopg.errors.RestrictViolation, match="attempt P may still be paid"):
            books.execute(tried, ("P-3", 3, "F3"))
        books.execute("alter table payment_attempt enable trigger check_attempt")


def test_what_was_decided_at_version_25_can_be_undone_until_a_default_rests_on_it(uri: str) -> None:
    decided = (
        "insert into bank_decision (end_to_end_id, verdict, known, decides, reason, person, key, at, document, signature) "
        "values ('P', 'not paid', 0, true, 'so', 'mia', 1, now(), '{}', decode(repeat('00', 64), 'hex'))"
    )
    with books_of_version(uri, "0025") as old, old.open(role=None) as books:
        books.execute("set session_replication_role = replica")  # what was signed for them does not matter here
        books.execute("insert into settlement_window (day, state) values ('2026-03-02', 'instructed')")
        books.execute("insert into run (no, day, sha256, report, reception) overriding system value values (1, '2026-03-02', 'a', '{}', '[]')")
        books.execute("insert into payment_attempt values ('P', 1, 'P', 1, 'F', 'B', '2026-03-05')")
        books.execute(decided)
        old.bring_up_to_date()
        assert books.execute("select rests_on(1)").fetchone() == (None,)
        books.execute("insert into payment_baseline values (1, 'P', 0, 0)")  # as old code writes it
        assert books.execute("select rests_on(1)").fetchone() == ("window 2026-03-02 has defaulted since, and what counted as paid then stays",)


def test_breaks_that_names_decided_at_version_9_stay_and_new_ones_take_signatures(uri: str) -> None:
    decided = "update recon_break set state = 'written off', proposal = 'write-off', proposed_by = 'ann', decided_by = 'ben' where no = %s"
    with books_of_version(uri, "0009") as old, old.open() as books:
        for ours in (1, 2):
            books.execute(
                "insert into recon_break (bank, day, code, ours, programme_units, bank_units, unit, first_seen, state) "
                "values ('bank1', '2026-03-02', 'MISSING_AT_BANK', %s, 1, 0, 'EUR', '2026-03-03', 'open')",
                (ours,),
            )
        books.execute(decided, (1,))
        old.bring_up_to_date()
        assert books.execute("select no, state from recon_break order by no").fetchall() == [(1, "written off"), (2, "open")]
        with pytest.raises(psycopg.errors.RestrictViolation, match="cannot become"):
            books.execute(decided, (2,))


def test_what_names_decided_before_version_16_is_listed_and_what_comes_after_takes_signatures(uri: str) -> None:
    opened = """
    insert into dispute (day, run, line, kind, debtor, creditor, currency, line_amount, amount, withheld, opened_by, opened_at, decide_by, reason)
    values ('2026-03-02', 1, 1, 'fee', 'grocer', 'opco', 'EUR', 5, 5, false, 'Ann', now(), '2026-04-01', 'x') returning no
    """
    turn = "insert into dispute_turn (dispute, no, at, who, from_state, to_state, note) values (%s, %s, now(), %s, %s, %s, 'x')"
    moved = "insert into window_move (day, event, before, after, run, by_whom, at) values ('2026-03-02', %s, 'instructed', 'defaulted', %s, 'mia', now())"
    with books_of_version(uri, "0015") as old, old.open(role=None) as owner:
        owner.execute("set session_replication_role = replica")  # what the rows refer to does not matter here
        for _ in range(2):
            owner.execute(opened)
        for row in ((1, 1, "Ann", None, "open"), (1, 2, "ben", "open", "upheld"), (2, 1, "Ann", None, "open")):
            owner.execute(turn, row)
        owner.execute(moved, ("unpaid_at_deadline", 7))
        old.bring_up_to_date()
        assert owner.execute("select what, no from by_name order by 1, 2").fetchall() == [("decided", 1), ("defaulted", 7), ("opened", 1), ("opened", 2)]
        owner.execute(opened)
        owner.execute("set session_replication_role = origin")
        for row in ((2, 2, "ann", "open", "upheld"), (2, 2, "ben", "open", "upheld"), (3, 1, "Ann", None, "open")):
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(turn, row)
        owner.execute(turn, (2, 2, "ben", "open", "evidence"))


def test_what_was_signed_before_version_17_names_no_accounts_and_what_comes_after_does(uri: str) -> None:
    sign = """
    insert into signature (run, day, action, person, key, report_sha256, at, signature{})
    select r.no, r.day, %s, k.person, k.no, r.sha256, now(), decode(repeat('00', 64), 'hex'){} from run r, person_key k where k.person = %s
    """
    accounts = (", accounts_sha256", ", repeat('0', 64)")
    with books_of_version(uri, "0016") as old, old.open(role=None) as owner, old.open() as books:
        for no, name in enumerate(("mia", "carl")):
            owner.execute("insert into person (name, enrolled_at) values (%s, now())", (name,))
            owner.execute("insert into person_key (person, public_key, enrolled_at) values (%s, %s, now())", (name, bytes([no] * 32)))
        books.execute("insert into settlement_window (day, state) values ('2026-03-02', 'netted')")
        books.execute("insert into run (day, sha256, report, reception) values ('2026-03-02', encode(sha256('{}'), 'hex'), '{}', '[]')")
        books.execute(sign.format("", ""), ("submit", "mia"))
        old.bring_up_to_date()
        with pytest.raises(psycopg.errors.RestrictViolation, match="signs accounts"):
            books.execute(sign.format("", ""), ("approve", "carl"))
        books.execute(sign.format(*accounts), ("approve", "carl"))
        assert books.execute("select accounts_sha256 is null from signature order by no").fetchall() == [(True,), (False,)]


def test_funds_of_before_version_22_are_listed_for_the_owner_to_answer_for_and_later_ones_are_signed(uri: str) -> None:
    enter = "insert into funding (party, currency, amount, kind, reference, by_whom, at) values ('grocer', 'EUR', %s, %s, %s, 'mia', now())"
    with books_of_version(uri, "0021") as old, old.open() as books:
        books.execute("insert into party (id) values ('grocer')")
        books.execute("insert into unit (id) values ('EUR')")
        books.execute(enter, (700, "paid in", "RF1"))
        books.execute(enter, (-300, "used", "default of 2026-03-02, run 7, EUR"))
        old.bring_up_to_date()
        assert books.execute("select what, no from by_name order by no").fetchall() == [("funded", 1), ("funded", 2)]
        assert books.execute("select count(*) from funding_unfounded").fetchone() == (0,)
        with pytest.raises(psycopg.errors.RestrictViolation, match="two people have not signed"):
            books.execute(enter, (700, "paid in", "RF2"))  # by a process of the old version
        assert books.execute("select sum(amount)::int from funding").fetchone() == (400,)


def test_rights_that_earlier_versions_gave_are_taken_back_at_version_23(uri: str) -> None:
    with books_of_version(uri, "0022") as old, old.open(role=None) as owner, old.open() as books:
        owner.execute("grant update on party, contract, mechanic, unit, source, topic, cut, night_step, headroom, progress, card, member to clh_app")
        books.execute("insert into party (id) values ('grocer')")
        books.execute("insert into topic (name) values ('t')")
        books.execute("insert into progress select no, 0, 5 from topic")
        books.execute("update party set id = 'dairyco'")
        old.bring_up_to_date()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            books.execute("update party set id = 'x'")
        books.execute("update progress set next_offset = 6")
        with pytest.raises(psycopg.errors.RestrictViolation, match="not booked again"):
            books.execute("update progress set next_offset = 5")


def test_old_code_goes_on_booking_at_version_9_which_keeps_lots_and_knows_no_limit(uri: str) -> None:
    lot = "insert into lot (member, sponsor, contract, expiry, earned, release_on, points, live) values (1, 1, 1, '2028-03-31', %s, '0001-01-01', 5, true)"
    with books_of_version(uri, "0008") as old, old.open() as books:
        books.execute(lot, ("2026-03-02",))
        old.bring_up_to_date()
        books.execute(lot, ("2026-03-03",))  # by a process of the old version
        assert books.execute("select count(*), sum(points)::int from lot").fetchone() == (2, 10)
        counts = [books.execute(f"select count(*) from {table}").fetchone() for table in ("unfunded", "headroom", "funding", "dispute")]  # noqa: S608
        assert counts == [(0,)] * 4


def test_the_newest_version_is_the_last_of_one_line() -> None:
    files = sorted(VERSIONS.glob("m[0-9]*.py"))
    revisions, downs = [], []
    for file in files:
        text = file.read_text(encoding="utf-8")
        revisions += re.findall(r'^revision = "(\d+)"', text, re.MULTILINE)
        downs += re.findall(r'^down_revision = (?:None|"(\d+)")', text, re.MULTILINE)
    assert revisions == [f"{no + 1:04}" for no in range(len(files))]
    assert downs == ["", *revisions[:-1]]
    for file in files:
        assert "Why so" in file.read_text(encoding="utf-8"), f"{file.name} does not say why"


def test_every_table_says_what_the_application_may_do_to_it(uri: str) -> None:
    """A table that a migration adds without a line in migrate.py would be readable only; one that is named and not there would be a mistake."""
    with namespace(uri) as schema:
        migrate(uri, schema)
        found = shape(uri, schema)
        partitions = {f"identity_{no}" for no in range(4)}
        tables = {str(row[0]) for row in found["columns"]} - partitions - {"migration"}
        assert tables == {*APPEND_ONLY, *ADDED_TO, *CHANGEABLE, *CHANGED_IN_PART, *CONSUMED, *ADMINISTERED}
        rights: dict[tuple[str, str], set[str]] = {}
        for table, role, right in found["rights"]:
            rights.setdefault((str(table), str(role)), set()).add(str(right))
        for table in tables:
            assert rights[table, READER_ROLE] == {"SELECT"}
            allowed = {"SELECT"} if table in ADMINISTERED else {"SELECT", "INSERT"}
            if table in CHANGEABLE or table in CONSUMED:
                allowed |= {"UPDATE"}
            if table in CONSUMED or table in ("obligation", "carried"):
                allowed |= {"DELETE"}
            assert rights[table, APPLICATION_ROLE] == allowed, table


def test_what_was_received_is_not_the_applications_to_change(uri: str) -> None:
    """Of an entry only what was decided may change: neither where it lies nor what came in it."""
    with namespace(uri) as schema:
        migrate(uri, schema)
        add_month(uri, schema, date(2026, 3, 2))
        with connect(uri, schema, autocommit=True) as connection:
            for column in ("record", "day", "id", "source", "type", "event_day", "received_at", "raw"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"update entry set {column} = {column}")  # noqa: S608
            connection.execute("update entry set outcome = outcome, answer = answer")


def test_a_reader_writes_nothing(uri: str) -> None:
    with namespace(uri) as schema:
        migrate(uri, schema)
        with connect(uri, schema, role=READER_ROLE, autocommit=True) as connection:
            assert connection.execute("select count(*) from lot").fetchone() == (0,)
            for statement in (
                "insert into party (id) values ('opco')",
                "insert into total (day, code, sponsor, unit, quantity, events) values ('2026-03-02', 1, 1, 1, 1, 1)",
                "update lot set points = 0",
                "delete from held",
                "truncate outbox",
                "create table more (no int)",
                "select nextval('member_no')",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
