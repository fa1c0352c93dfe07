"""Random worlds against a second, slow answer: late files, duplicates, several runs; and the causes always explain how the sums differ."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from services.recon.report import recon_report
from services.recon.statements import OUR_CONTENT, THEIR_CONTENT
from services.runtime.local import Addresses
from tests.recon_oracle import Match, Oracle, Row, difference
from tests.recon_rows import DAY, Sides, books, one

WORLDS = 24
RUN = "insert into recon_run (bank, day, figures, made_at) values (%s, %s, '{}', now())"


@pytest.fixture(scope="module")
def connection(addresses: Addresses) -> Iterator[psycopg.Connection]:
    with books(addresses.postgres_uri, f"clh_oracle_{secrets.token_hex(4)}") as opened:
        yield opened


def some(random: Random) -> Row:
    """A row out of a small world, so that rows meet in keys, references, circumstances, groups, and differ in one thing or another."""
    typ = random.choice(["EARN", "EARN", "EARN", "REFUND", "PAYOUT"])
    kind = random.choice(["CASHBACK", "CASHBACK", "POINTS", None])
    units = 0 if kind is None else random.choice([15, 15, 14, 30]) * (-1 if typ == "REFUND" else 1)
    return one(
        f"t{random.randint(1, 7)}", typ=typ, orig="t1" if typ == "REFUND" else None, kind=kind, units=units,
        unit={"CASHBACK": "EUR", "POINTS": "MCP", None: None}[kind], arn=random.choice([None, "x", "y"]), rrn=random.choice([None, "r", "q"]),
        card=random.choice(["tok1", "tok1", "tok2"]), acceptor=random.choice([None, "shop", "shop"]), minor=random.choice([1000, 1000, 2000]),
        rule=random.choice(["a", "a", "b", None]), at=f"2026-03-0{random.randint(1, 7)}T1{random.randint(0, 3)}:00:00Z",
        ref=random.choice([None, "W1", "W2"]), cut=random.choice([None, 0, 1]),
        mcc=random.choice(["5411", "5411", "6011"]), bf=random.choice([None, units, units]),
    )  # fmt: skip


def theirs_of(random: Random, ours: list[Row]) -> list[Row]:
    """What the bank says: copies, copies that differ in a thing, rows of its own, lines twice."""
    made = [dict(row) for row in ours if random.random() < 0.8]
    for row in made:
        if random.random() < 0.4:
            name = random.choice(["bank_txn_id", "arn", "reward_units", "rule_id", "card_ref", "billing_minor", "transacted_at", "bank_funded", "event_type"])
            row[name] = some(random)[name]
    made += [some(random) for _ in range(random.randint(0, 3))]
    return made + [dict(row) for row in made if random.random() < 0.2]


def rows(made: Sides, table: str, content: str) -> list[Row]:
    question = f"select e.*, md5({content.format('e')}) content from {table} e where bank = %s"  # noqa: S608  # names from here
    return made.connection.cursor(row_factory=dict_row).execute(question, (made.bank,)).fetchall()


def matches(made: Sides) -> list[Match]:
    return made.connection.execute("select pass, ours, theirs from recon_match where bank = %s", (made.bank,)).fetchall()


@pytest.mark.parametrize("seed", range(WORLDS))
def test_matching_agrees_with_a_second_answer_run_after_run_and_the_causes_add_up(connection: psycopg.Connection, seed: int) -> None:
    random = Random(seed)
    made = Sides(connection, f"bank{seed}")
    for later in range(3):  # a file a day, and the next one brings what was late
        day = DAY + timedelta(days=later)
        ours = [some(random) | {"day": day} for _ in range(random.randint(1, 8))]
        theirs = theirs_of(random, ours)
        late = [row for row in theirs if random.random() < 0.2] if later < 2 else []
        random.shuffle(theirs)
        with connection.transaction():
            made.put(ours, [row for row in theirs if row not in late], day=day)
        before = matches(made)
        expected = Oracle(rows(made, "recon_expected", OUR_CONTENT), rows(made, "bank_line", THEIR_CONTENT), before)
        wanted = Counter(expected.run())
        made.match(day)
        connection.execute(RUN, (made.bank, day))
        assert Counter(matches(made)) - Counter(before) == wanted
        _breaks_agree(made)
        for each in range(later + 1):
            _adds_up(made, DAY + timedelta(days=each), day)
        if late:
            with connection.transaction():
                made.put(theirs=late, day=day + timedelta(days=1))


def _breaks_agree(made: Sides) -> None:
    """Each pair that differs breaks under the code of the second answer, each row left has one open break, and nothing else is open."""
    ours = {row["no"]: row for row in rows(made, "recon_expected", OUR_CONTENT)}
    theirs = {row["no"]: row for row in rows(made, "bank_line", THEIR_CONTENT)}
    found = matches(made)
    pairs = [(o, t, difference(ours[o], theirs[t])) for _, o, t in found if o is not None and t is not None]
    gone_ours, gone_theirs = {o for _, o, _ in found}, {t for _, _, t in found}
    wanted: Counter[Any] = Counter((o, t, code) for o, t, code in pairs if code is not None)
    wanted += Counter((no, None, None) for no, row in ours.items() if no not in gone_ours and row["reward_kind"])
    newest = made.connection.execute("select max(day) from recon_run where bank = %s", (made.bank,)).fetchone()
    assert newest is not None
    wanted += Counter((None, no, None) for no, row in theirs.items() if no not in gone_theirs and row["day"] <= newest[0])
    question = "select ours, theirs, case when ours is not null and theirs is not null then code end from recon_break where bank = %s and state = 'open'"
    assert Counter(made.connection.execute(question, (made.bank,)).fetchall()) == wanted


def _adds_up(made: Sides, day: Any, today: Any) -> None:
    report = recon_report(made.connection, made.bank, day, today)
    for total in report.sums:
        causes = [one for one in report.causes if (one["kind"], one["unit"]) == (total["kind"], total["unit"])]
        assert sum(one["diff_units"] for one in causes) == total["diff_units"] == total["bank_units"] - total["programme_units"]
