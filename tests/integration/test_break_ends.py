"""Every break comes to an end by a command: each code of a reconciliation, and each way out of it, by the shape of what broke."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql

from clearing.matching import BreakCode, Move, MoveRefused, Unmoved
from clearing.plan import Plan
from services.journal.programmes import load
from services.recon.deciding import Wish, resolve, to_sign
from services.recon.verify import verify_breaks
from services.runtime.local import Addresses
from services.settlement.keys import raw
from services.settlement.people import enrol
from tests.integration.test_matching import CODES, REFUSED
from tests.played import Played, played
from tests.recon_rows import DAY, NOW, Row, Sides, one

ROOT = Path(__file__).parents[2]
PAIRED: Final = frozenset({
    "WRONG_CARD", "WRONG_PROGRAMME", "CURRENCY", "DIRECTION", "SPLIT_INCOMPLETE", "RULE_VERSION", "INELIGIBLE_MCC", "FX_RATE", "CAP_DIFFERENCE", "AMOUNT_OVER",
    "AMOUNT_UNDER",
})  # fmt: skip
"""Codes of two rows that belong together and differ: what is left to decide is the difference."""
CASES: Final = CODES | {"LATE": ([], [one("t1")], [(None, "t1", 0, 15)])}
LONE: Final = [code for code in CASES if code not in PAIRED]


@pytest.fixture(scope="module")
def card(addresses: Addresses) -> Iterator[Played]:
    with played(ROOT / "examples" / "scenarios" / "co-brand-card.yaml", addresses) as made:
        with made.owner() as books:
            books.execute("insert into settlement_window (day, state) values ('2026-03-04', 'open')")
        yield made


class Bank:
    """Breaks of one bank, and two people with keys."""

    def __init__(self, books: psycopg.Connection, name: str) -> None:
        self.books, self.name, self.sides, self.now = books, name, Sides(books, "bank1"), NOW
        self.keys = {person: Ed25519PrivateKey.generate() for person in ("ann", "ben")}
        for person, key in self.keys.items():
            enrol(books, person, raw(key), NOW)
        self.plan = Plan(load(books))

    def broken(self, code: str) -> list[int]:
        """Opens the breaks of a code; their numbers."""
        ours, theirs, _ = CASES[code]
        if code == "LATE":
            refuse(self.books)
        self.sides.put(ours, theirs)
        self.match(DAY)
        return [no for (no,) in self.books.execute("select no from recon_break where code = %s order by no", (code,)).fetchall()]

    def match(self, day: date) -> None:
        """One run. Its temporary tables go with its transaction, which here is that of the test."""
        self.sides.match(day)
        for (table,) in self.books.execute("select relname from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r'").fetchall():
            self.books.execute(sql.SQL("drop table {}").format(sql.Identifier("pg_temp", table)))

    def state(self, no: int) -> str:
        row = self.books.execute("select state from recon_break where no = %s", (no,)).fetchone()
        assert row is not None
        return str(row[0])

    def move(self, no: int, move: Move, who: str, **more: Any) -> None:
        self.now += timedelta(seconds=1)
        wish = Wish(move, who, "because", **more)
        signed = None
        if wish.signed:
            said = to_sign(self.books, self.name, self.plan, no, wish, self.now)
            signed = (said, self.keys[who].sign(said.signed()))
        resolve(self.books, self.name, self.plan, no, wish, self.now, signed=signed)

    def decide(self, no: int, how: Move, counterpart: int | None = None) -> None:
        self.move(no, Move.PROPOSE, "ann", proposal=how, counterpart=counterpart)
        self.move(no, how, "ben")


def refuse(books: psycopg.Connection) -> None:
    record = secrets.randbelow(10**9) + 10**9
    named = "insert into source (uri) values ('/banks/bank1') on conflict (uri) do update set uri = excluded.uri returning no"
    (source,) = books.execute(named).fetchone() or (0,)
    books.execute("insert into identity (source, id, content, record, day) values (%s, 't1:EARN', '', %s, %s)", (source, record, DAY))
    books.execute(REFUSED, (record, DAY, source, "too-old"))


@pytest.fixture
def bank(card: Played) -> Iterator[Bank]:
    with card.owner() as books, books.transaction(force_rollback=True):
        made = Bank(books, card.name)
        yield made
        assert [proof for proof in verify_breaks(books, card.name) if not proof.holds] == []


def row_of(code: str, no: int) -> tuple[str, Row]:
    """Which side the row of the break that was opened as the n-th has, and the row."""
    ours, theirs, expected = CASES[code]
    mine, its, programme_units, bank_units = expected[no]
    rows, txn, units = (ours, mine, programme_units) if mine is not None else (theirs, its, bank_units)
    return "ours" if mine is not None else "theirs", next(row for row in rows if (row["bank_txn_id"], row["reward_units"]) == (txn, units))


def test_each_code_of_a_reconciliation_is_here() -> None:
    assert set(CASES) == {code.value for code in BreakCode}
    assert {code for code in CASES if all(mine is not None and its is not None for mine, its, _, _ in CASES[code][2])} == PAIRED


@pytest.mark.parametrize("code", CASES)
def test_each_is_written_off_by_two_people(bank: Bank, code: str) -> None:
    for no in bank.broken(code):
        bank.decide(no, Move.WRITE_OFF)
        assert bank.state(no) == "written off"


@pytest.mark.parametrize("code", CASES)
def test_what_asking_the_bank_brings_to_light_ends_it_and_without_it_is_carried_on(bank: Bank, code: str) -> None:
    no = bank.broken(code)[0]
    bank.move(no, Move.ASK_BANK, "ann")
    bank.match(DAY + timedelta(days=1))
    assert bank.state(no) == "awaiting bank"
    bank.move(no, Move.INVESTIGATE, "ann")
    assert bank.state(no) == "investigating"
    bank.decide(no, Move.WRITE_OFF)
    bank.match(DAY + timedelta(days=2))
    assert bank.state(no) == "written off"


@pytest.mark.parametrize("code", LONE)
def test_a_row_without_a_partner_is_matched_by_one_that_comes_late(bank: Bank, code: str) -> None:
    no = bank.broken(code)[0]
    side, row = row_of(code, 0)
    bank.move(no, Move.ASK_BANK, "ann")
    bank.sides.put(theirs=[row], day=DAY + timedelta(days=1)) if side == "ours" else bank.sides.put(ours=[row])
    bank.match(DAY + timedelta(days=1))
    assert bank.state(no) == "resolved"


@pytest.mark.parametrize("code", CASES)
def test_a_row_without_a_partner_is_matched_by_force_and_two_that_differ_are_not(bank: Bank, code: str) -> None:
    no = bank.broken(code)[0]
    side = "theirs" if code in PAIRED else row_of(code, 0)[0]
    stray = one("z9", arn=None, rrn=None, acceptor="elsewhere", card="tok9", unit=unit_of(bank, no))
    bank.sides.put(theirs=[stray], day=DAY + timedelta(days=1)) if side == "ours" else bank.sides.put(ours=[stray])
    bank.match(DAY + timedelta(days=1))
    (other,) = bank.books.execute("select max(no) from recon_break").fetchone() or (0,)
    assert other != no
    if code in PAIRED:
        with pytest.raises(MoveRefused) as told:
            bank.decide(no, Move.FORCE_MATCH, other)
        assert told.value.code is Unmoved.WRONG_COUNTERPART
        return
    bank.decide(no, Move.FORCE_MATCH, other)
    assert (bank.state(no), bank.state(other)) == ("resolved", "resolved")


def unit_of(bank: Bank, no: int) -> str:
    row = bank.books.execute("select unit from recon_break where no = %s", (no,)).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("code", CASES)
def test_cash_that_only_the_bank_has_is_created_and_nothing_else_is(bank: Bank, code: str) -> None:
    no = bank.broken(code)[0]
    if code in PAIRED or row_of(code, 0)[0] == "ours":
        with pytest.raises(MoveRefused) as told:
            bank.decide(no, Move.CREATE)
        assert told.value.code is Unmoved.NOT_CREATED
        return
    bank.decide(no, Move.CREATE)
    assert bank.state(no) == "resolved"
