"""Matching on PostgreSQL: each pass consumes its rows in the fixed order, each break gets its code, and the order of rows changes nothing."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any

import psycopg
import pytest

from clearing.matching import BreakCode
from services.recon.breaks import Chosen, breaks
from services.recon.match_statements import UNMATCHED
from services.recon.report import recon_report
from services.runtime.local import Addresses
from tests.recon_rows import DAY, Row, Sides, books, one

NEXT = DAY + timedelta(days=1)
Made = Callable[[], Sides]


@pytest.fixture(scope="module")
def connection(addresses: Addresses) -> Iterator[psycopg.Connection]:
    with books(addresses.postgres_uri, f"clh_matching_{secrets.token_hex(4)}") as opened:
        yield opened


@pytest.fixture(scope="module")
def sides(connection: psycopg.Connection) -> Made:
    """Each call is another bank."""
    numbers = count()
    return lambda: Sides(connection, f"bank{next(numbers)}")


def matched(sides: Made, ours: list[Row], theirs: list[Row]) -> Sides:
    made = sides()
    made.put(ours, theirs)
    made.match()
    return made


PASSES: dict[str, tuple[list[Row], list[Row], list[tuple[Any, ...]]]] = {
    "1 an exact replay is put out": ([one("t1")], [one("t1"), one("t1")], [(1, None, "t1"), (2, "t1", "t1")]),
    "2 transaction and event type": ([one("t1"), one("t2")], [one("t2"), one("t1")], [(2, "t1", "t1"), (2, "t2", "t2")]),
    "2 several rewards of a transaction by their rule": (
        [one("t1", rule="a", units=5), one("t1", rule="b", units=3)],
        [one("t1", rule="b", units=3), one("t1", rule="a", units=5)],
        [(2, "t1", "t1"), (2, "t1", "t1")],
    ),
    "2 a bank that names no rule": ([one("t1", rule="a")], [one("t1", rule=None, version=None)], [(2, "t1", "t1")]),
    "3 acquirer reference, card and sign": ([one("t1", arn="x")], [one("u1", arn="x")], [(3, "t1", "u1")]),
    "3 not with another sign": ([one("t1", arn="x", rrn=None, acceptor=None)], [one("u1", arn="x", rrn=None, acceptor=None, typ="REFUND", orig="q")], []),
    "3 not with another card": ([one("t1", arn="x", rrn=None)], [one("u1", arn="x", rrn=None, card="tok2")], []),
    "4 reference number, authorisation and card": ([one("t1", arn=None, rrn="r")], [one("u1", arn=None, rrn="r", minor=999)], [(4, "t1", "u1")]),
    "4 four days apart": ([one("t1", arn=None, rrn="r")], [one("u1", arn=None, rrn="r", at="2026-03-06T10:00:00+01:00")], [(4, "t1", "u1")]),
    "4 not more than four days apart": ([one("t1", arn=None, rrn="r")], [one("u1", arn=None, rrn="r", at="2026-03-06T10:00:01+01:00")], []),
    "4 the nearest in time": (
        [one("t1", arn=None, rrn="r", at="2026-03-02T10:00:00Z"), one("t2", arn=None, rrn="r", at="2026-03-04T10:00:00Z")],
        [one("u1", arn=None, rrn="r", at="2026-03-04T09:00:00Z"), one("u2", arn=None, rrn="r", at="2026-03-02T11:00:00Z")],
        [(4, "t1", "u2"), (4, "t2", "u1")],
    ),
    "5 card, acceptor, amount and currency": ([one("t1", arn=None, rrn=None)], [one("u1", arn=None, rrn=None)], [(5, "t1", "u1")]),
    "5 not by amount alone": ([one("t1", arn=None, rrn=None)], [one("u1", arn=None, rrn=None, acceptor="another")], []),
    "5 not where it is not unique": ([one("t1", arn=None, rrn=None), one("t2", arn=None, rrn=None)], [one("u1", arn=None, rrn=None)], []),
    "6 a group under its settlement reference": (
        [one("t1", ref="W1", units=5), one("t2", ref="W1", units=7)],
        [one("s1", typ="PAYOUT", arn=None, rrn=None, ref="W1", units=12)],
        [(6, None, "s1"), (6, "t1", None), (6, "t2", None)],
    ),
    "6 not a group whose sum is one unit off": ([one("t1", ref="W1", units=5)], [one("s1", typ="PAYOUT", arn=None, rrn=None, ref="W1", units=6)], []),
    "6 not a group of another unit": ([one("t1", ref="W1", units=5)], [one("s1", typ="PAYOUT", arn=None, rrn=None, ref="W1", units=5, unit="USD")], []),
    "a transaction's id before its reference": ([one("t1", arn="x"), one("t2", arn="y")], [one("t1", arn="y")], [(2, "t1", "t1")]),
    "a reference before a retrieval number": (
        [one("t1", arn="x", rrn="r"), one("t2", arn="y", rrn="q")], [one("u1", arn="y", rrn="r")], [(3, "t2", "u1")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PASSES)
def test_a_pass_matches(sides: Made, what: str) -> None:
    ours, theirs, expected = PASSES[what]
    assert matched(sides, ours, theirs).pairs() == expected


REFUSED = """
insert into entry (record, day, outcome, type, source, id, received_at, code, answer)
values (%s, %s, 'rejected', 'card-transaction.v1', %s, 't1:EARN', now(), %s, '')
"""
REFUND = {"typ": "REFUND", "orig": "t1", "units": -15}
LONE: Row = {"arn": None, "rrn": None}
CODES: dict[str, tuple[list[Row], list[Row], list[tuple[Any, ...]]]] = {
    "WRONG_CARD": ([one("t1")], [one("t1", card="tok2")], [("t1", "t1", 15, 15)]),
    "WRONG_PROGRAMME": ([one("t1", kind="POINTS", unit="MCP")], [one("t1", kind="POINTS", unit="XYZ")], [("t1", "t1", 15, 15)]),
    "CURRENCY": ([one("t1")], [one("t1", unit="USD")], [("t1", "t1", 15, 15)]),
    "DIRECTION": ([one("t1")], [one("t1", units=-15)], [("t1", "t1", 15, -15)]),
    "SPLIT_INCOMPLETE": ([one("t1")], [one("t1", bf=8, mf=6)], [("t1", "t1", 15, 15)]),
    "RULE_VERSION": ([one("t1")], [one("t1", version=date(2025, 1, 1))], [("t1", "t1", 15, 15)]),
    "INELIGIBLE_MCC": ([one("t1")], [one("t1", units=0, kind=None, exclusion="MCC")], [("t1", "t1", 15, 0)]),
    "FX_RATE": ([one("t1")], [one("t1", minor=1010, units=16, txn_minor=1100, txn_ccy="USD")], [("t1", "t1", 15, 16)]),
    "CAP_DIFFERENCE": ([one("t1", cut=5)], [one("t1", units=20)], [("t1", "t1", 15, 20)]),
    "AMOUNT_OVER": ([one("t1")], [one("t1", units=16)], [("t1", "t1", 15, 16)]),
    "AMOUNT_UNDER": ([one("t1")], [one("t1", units=14)], [("t1", "t1", 15, 14)]),
    "KEY_REUSED": ([one("t1")], [one("t1"), one("t1", minor=2000, units=30, acceptor="b")], [(None, "t1", 0, 30)]),
    "DUPLICATE_BANK": ([one("t1", arn="x")], [one("t1", arn="x"), one("t9", arn="x")], [(None, "t9", 0, 15)]),
    "DUPLICATE_PROGRAMME": ([one("t1", arn="x"), one("t9", arn="x")], [one("t1", arn="x")], [("t9", None, 15, 0)]),
    "OVER_REVERSED": ([one("t1")], [one("t1"), one("r1", **{**REFUND, "units": -16})], [(None, "r1", 0, -16)]),
    "REVERSED_UNMATCHED": ([], [one("r1", **REFUND)], [(None, "r1", 0, -15)]),
    "AMBIGUOUS": ([one("t1", **LONE), one("t2", **LONE)], [one("u1", **LONE)], [(None, "u1", 0, 15), ("t1", None, 15, 0), ("t2", None, 15, 0)]),
    "MISSING_AT_BANK": ([one("t1")], [], [("t1", None, 15, 0)]),
    "MISSING_AT_PROGRAMME": ([], [one("t1")], [(None, "t1", 0, 15)]),
}


@pytest.mark.parametrize("code", CODES)
def test_a_break_has_its_code_and_the_units_of_both_sides(sides: Made, code: str) -> None:
    ours, theirs, expected = CODES[code]
    assert matched(sides, ours, theirs).breaks() == [(code, *one_of, "open") for one_of in expected]


@pytest.mark.parametrize(
    ("refused", "code"),
    [("too-old", "LATE"), ("returned-too-much", "OVER_REVERSED"), ("unknown-original", "REVERSED_UNMATCHED"), ("original-of-other-card", "WRONG_CARD"),
     ("currency-not-accepted", "CURRENCY"), ("member-closed", "MISSING_AT_PROGRAMME")],
)  # fmt: skip
def test_a_line_whose_event_the_house_refused_breaks_as_what_it_was_refused_for(sides: Made, connection: psycopg.Connection, refused: str, code: str) -> None:
    made = sides()
    with connection.transaction():
        record = secrets.randbelow(10**9) + 1
        (source,) = connection.execute("insert into source (uri) values (%s) returning no", (f"/banks/{made.bank}",)).fetchone() or (0,)
        connection.execute("insert into identity (source, id, content, record, day) values (%s, 't1:EARN', '', %s, %s)", (source, record, DAY))
        connection.execute(REFUSED, (record, DAY, source, refused))
    made.put(theirs=[one("t1")])
    made.match()
    assert made.breaks() == [(code, None, "t1", 0, 15, "open")]


def test_what_agrees_breaks_nothing_and_what_brought_nothing_need_not_be_reported(sides: Made) -> None:
    made = matched(sides, [one("t1"), one("t2", kind=None, units=0, unit=None, rule=None)], [one("t1")])
    assert made.breaks() == []


def test_a_late_arrival_matches_and_resolves_its_break(sides: Made) -> None:
    made = matched(sides, [one("t1"), one("t2")], [one("t1")])
    assert made.breaks() == [("MISSING_AT_BANK", "t2", None, 15, 0, "open")]
    made.put(theirs=[one("t2")], day=NEXT)
    made.match(NEXT)
    assert made.pairs() == [(2, "t1", "t1"), (2, "t2", "t2")]
    assert made.breaks() == [("MISSING_AT_BANK", "t2", None, 15, 0, "resolved")]


def test_rows_of_a_later_day_are_left_alone(sides: Made) -> None:
    made = sides()
    made.put([one("t1", day=NEXT)])
    made.match()
    assert (made.pairs(), made.breaks()) == ([], [])


def test_a_replay_in_a_later_file_is_put_out_too(sides: Made) -> None:
    made = matched(sides, [one("t1")], [one("t1")])
    made.put(theirs=[one("t1")], day=NEXT)
    made.match(NEXT)
    assert made.pairs() == [(1, None, "t1"), (2, "t1", "t1")]
    assert made.breaks() == []


def test_matching_again_changes_nothing(sides: Made) -> None:
    made = matched(sides, [one("t1"), one("t2"), one("t3", arn="x")], [one("t1", units=14), one("t4"), one("t3", arn="x"), one("t5", arn="x")])
    before = made.pairs(), made.breaks()
    made.match()
    assert (made.pairs(), made.breaks()) == before


def test_an_ambiguous_row_that_becomes_clear_is_resolved(sides: Made) -> None:
    made = matched(sides, [one("t1", **LONE), one("t2", **LONE)], [one("u1", **LONE)])
    made.put(theirs=[one("t1", **LONE)], day=NEXT)
    made.match(NEXT)
    assert made.pairs() == [(2, "t1", "t1"), (5, "t2", "u1")]
    assert {state for *_, state in made.breaks()} == {"resolved"}


def world(random: Random) -> tuple[list[Row], list[Row]]:
    """Rows of both sides that agree, nearly agree, come twice, or have nothing to do with each other."""

    def some() -> Row:
        return one(
            f"t{random.randint(1, 6)}", arn=random.choice([None, "x", "y"]), rrn=random.choice([None, "r", "q"]), card=random.choice(["tok1", "tok1", "tok2"]),
            units=random.choice([15, 15, 14, 30]), minor=random.choice([1000, 1000, 2000]), rule=random.choice(["a", "a", "b", None]),
            at=f"2026-03-0{random.randint(1, 7)}T10:00:00Z", ref=random.choice([None, "W1"]), cut=random.choice([None, 0, 1]),
        )  # fmt: skip

    ours = [some() for _ in range(random.randint(0, 9))]
    theirs = [dict(row) if random.random() < 0.5 else some() for row in ours] + [some() for _ in range(random.randint(0, 4))]
    return ours, theirs + [dict(row) for row in theirs if random.random() < 0.15]


def outcome(made: Sides) -> tuple[Counter[Any], Counter[Any]]:
    """What was decided, by what the rows say and not by where they stood."""
    names = ("bank_txn_id", "arn", "rrn", "card_ref", "reward_units", "billing_minor", "rule_id", "transacted_at", "settlement_ref", "cap_cut_units")
    shown = f"row({', '.join('{0}.' + name for name in names)})::text"
    both = f"case when a.ours is not null then {shown.format('o')} end, case when a.theirs is not null then {shown.format('t')} end"
    found = []
    for table, what in (("recon_match", "a.pass::text"), ("recon_break", "a.code || a.state")):
        found.append(
            Counter(
                made.connection.execute(
                    f"select {what}, {both} from {table} a left join recon_expected o on o.no = a.ours "  # noqa: S608  # from above
                    "left join bank_line t on t.no = a.theirs where a.bank = %s",
                    (made.bank,),
                ).fetchall()
            )
        )
    return found[0], found[1]


@pytest.mark.parametrize("seed", range(25))
def test_any_order_of_rows_gives_the_same_result(sides: Made, seed: int) -> None:
    random = Random(seed)
    ours, theirs = world(random)
    results = []
    for _ in range(3):
        results.append(outcome(matched(sides, ours, theirs)))
        random.shuffle(ours)
        random.shuffle(theirs)
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("seed", range(25))
def test_every_row_is_matched_once_or_breaks_and_none_does_both_alone(sides: Made, seed: int) -> None:
    ours, theirs = world(Random(1000 + seed))
    made = matched(sides, ours, theirs)
    for side, table, rows in (("ours", "recon_expected", ours), ("theirs", "bank_line", theirs)):
        alone = made.connection.execute(
            f"select count(*) filter (where m.no is not null), count(*) filter (where b.no is not null), count(*) from {table} e "  # noqa: S608  # names from above
            f"left join recon_match m on m.{side} = e.no left join recon_break b on b.{side} = e.no and (b.ours is null or b.theirs is null) "
            "and b.state = 'open' where e.bank = %s",
            (made.bank,),
        ).fetchone()
        assert alone is not None
        assert alone[0] + alone[1] == alone[2] == len(rows)


@pytest.mark.parametrize("seed", range(8))
def test_what_matching_matches_holds_and_what_is_moved_or_made_up_does_not(sides: Made, seed: int) -> None:
    ours, theirs = world(Random(2000 + seed))
    made = matched(sides, ours, theirs)
    assert made.connection.execute(UNMATCHED, {"bank": made.bank}).fetchall() == []
    with made.connection.transaction(force_rollback=True):
        forged = [made.connection.execute(FORGE, (made.bank, DAY, which, -which - 1, None)).fetchone() for which in range(8)]
        forged.append(made.connection.execute(FORGE, (made.bank, DAY, 2, None, -4242)).fetchone())
        assert [row[:1] for row in made.connection.execute(UNMATCHED, {"bank": made.bank})] == forged


FORGE = "insert into recon_match (bank, day, pass, ours, theirs) values (%s, %s, %s, %s, %s) returning no"


@pytest.mark.parametrize("which", range(7))
def test_a_row_that_is_matched_with_one_that_does_not_agree_is_found(sides: Made, which: int) -> None:
    made = matched(sides, [one("t1")], [one("t2", card="tok2")])
    rows = "select no from recon_expected where bank = %(bank)s union all select no from bank_line where bank = %(bank)s"
    (ours,), (theirs,) = made.connection.execute(rows, {"bank": made.bank}).fetchall()
    with made.connection.transaction(force_rollback=True):
        made.connection.execute(FORGE, (made.bank, DAY, which, ours, theirs))
        assert [row[1:] for row in made.connection.execute(UNMATCHED, {"bank": made.bank})] == [(which, ours, theirs)]


def test_every_code_of_matching_is_tested() -> None:
    assert {*CODES, "LATE"} == set(BreakCode)


def test_a_pair_in_two_currencies_is_one_break_and_has_no_difference(sides: Made) -> None:
    made = matched(sides, [one("t1", units=89, unit="USD", ccy="USD")], [one("t1", units=90, unit="EUR", ccy="USD")])
    made.connection.execute("insert into recon_run (bank, day, figures, made_at) values (%s, %s, '{}', now())", (made.bank, DAY))
    assert recon_report(made.connection, made.bank, DAY, DAY).broken == {"CURRENCY": 1}
    (found,) = breaks(made.connection, Chosen(made.bank), DAY)
    assert (found["programme_unit"], found["bank_unit"], found["diff_units"]) == ("USD", "EUR", None)
