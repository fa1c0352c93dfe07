"""A person is erased: nothing in any table says who it was, and every figure, hash and seal is what it was before."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from services.cli.main import app
from services.journal.erasure import ErasureCode, NotErased, erase
from services.journal.verify import verify
from services.runtime.local import Addresses
from services.seal.export import export
from services.seal.keys import FileSigner, generate
from services.seal.sealing import seal_due
from tests.coalition import Coalition, coalition, event, purchase
from tests.seals import auditor, both

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "erase-a-person.md"
MONDAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
ANNA, CARD, OLD_CARD, TOKEN, HOUSEHOLD = "m-anna-7731", "c-anna-7731", "c-old-7731", "tok-7731", "house-7731"
PERSONAL = (ANNA, CARD, OLD_CARD, TOKEN, HOUSEHOLD, "Anna Example", "moves to Rome")
OPERATOR = "/operator/opco"


def lives(one: Coalition) -> None:
    """Anna buys before she is enrolled, as a member, is refused something, changes her card, and leaves; Bert stays."""
    paid = purchase("p2", CARD, 5000, time=AT)
    paid["data"]["payments"] = [{"kind": "payment_card", "amount_minor": 5000, "card_token": TOKEN}]
    one.publish(purchase("p1", CARD, 3000, time=AT))
    one.book()
    enrolled = {
        "member": ANNA,
        "cards": [CARD],
        "kind": "consumer",
        "enrolled_on": "2026-03-02",
        "attributes": {"name": "Anna Example"},
        "household": HOUSEHOLD,
    }
    one.publish(event("member-enrolled.v1", "e1", ANNA, enrolled, source=OPERATOR, time=AT))
    other = {"member": "m-bert", "cards": ["c-bert"], "kind": "consumer", "enrolled_on": "2026-03-02", "attributes": {"name": "Bert"}}
    one.publish(event("member-enrolled.v1", "e2", "m-bert", other, source=OPERATOR, time=AT))
    one.book()
    one.publish(paid, purchase("p3", "c-bert", 2000, time=AT), purchase("p3", CARD, 100, source="/partners/fuelco", time=AT))
    one.publish(event("redemption.v1", "r1", CARD, {"store": "1", "card": CARD, "points": 10**6}, time=AT))
    one.publish(event("card-linked.v1", "l1", ANNA, {"member": ANNA, "card": OLD_CARD}, source=OPERATOR, time=AT))
    one.publish(event("card-linked.v1", "l2", "m-bert", {"member": "m-bert", "card": CARD}, source=OPERATOR, time=AT))  # refused: it is Anna's
    one.publish(b'{"id": "x1", "card": "' + CARD.encode() + b'" \xff}')
    one.book()


def leave(one: Coalition) -> None:
    one.publish(event("member-closed.v1", "x9", ANNA, {"member": ANNA, "reason": "moves to Rome", "erase": True}, source=OPERATOR, time=AT))
    one.book()


@pytest.fixture
def one(addresses: Addresses) -> Iterator[Coalition]:
    with coalition(addresses, day=MONDAY) as made:
        lives(made)
        yield made


def of_banks(owner: psycopg.Connection) -> None:
    """What a bank's file says of her card, and what was expected of it."""
    common = "bank, day, bank_txn_id, event_type, card_ref, mcc, transacted_at, posting_date, billing_minor, billing_ccy, reward_units"
    values = "'bank1', '2026-03-02', 't1', 'EARN', %s, '5411', '', '2026-03-02', 100, 'EUR', 1"
    owner.execute(f"insert into recon_expected (entry, {common}) values (1, {values})", (CARD,))  # noqa: S608  # names from this file
    owner.execute(
        "insert into bank_file (bank, file_id, day, sequence, sha256, lines, bad, manifest, received_at, state) "
        "values ('bank1', 'f1', '2026-03-02', 1, '', 1, 0, '{}', now(), 'published')"
    )
    owner.execute(f"insert into bank_line (file, line, card_ref_type, {common}) values (1, 1, 'TOKEN', {values})", (CARD,))  # noqa: S608  # as above


def mentions(owner: psycopg.Connection, words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every table and word of it: all columns of all rows as text, bytes too."""
    found = []
    tables = owner.execute("select tablename from pg_tables where schemaname = current_schema() order by 1").fetchall()
    columns = "select attname, atttypid = 'bytea'::regtype from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
    for (table,) in tables:
        parts = [
            sql.SQL("coalesce(encode({}, 'escape'), '')" if is_bytes else "coalesce({}::text, '')").format(sql.Identifier(name))
            for name, is_bytes in owner.execute(columns, (table,)).fetchall()
        ]
        text = sql.SQL(" || ' ' || ").join(parts)
        for word in words:
            (count,) = owner.execute(sql.SQL("select count(*) from {} where {} like %s").format(sql.Identifier(table), text), (f"%{word}%",)).fetchone() or (0,)
            if count:
                found.append((table, word))
    return found


def test_nothing_in_any_table_says_who_an_erased_member_was_and_every_figure_and_seal_stays(
    one: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    leave(one)
    one.close(MONDAY)
    generate(tmp_path / "key.pem", tmp_path / "keys.txt", "")
    signer, target = FileSigner(tmp_path / "key.pem"), tmp_path / "opco.tar"
    figures = "select (select sha256 from run), (select sum(amount) from transfer), (select sum(points) from lot), (select array_agg(sha256) from seal)"
    with one.books(owner=True) as owner:
        of_banks(owner)
        assert seal_due(owner, signer) == [MONDAY]
        head = export(owner, MONDAY, "opco", signer, target)
        assert CARD.encode() in target.read_bytes()
        there = {table for table, _ in mentions(owner, PERSONAL)}
        assert {"entry", "member", "card", "seal_leaf", "bank_line", "recon_expected"} <= {table.split("_2")[0] for table in there}
        before = owner.execute(figures).fetchone()
        berts = owner.execute("select body, answer, card from entry where card = 'c-bert' order by record").fetchall()
        done = CliRunner().invoke(app, ["member", "erase", ANNA, "--reason", "asked for it", "--as", "olga", "--programme", one.id, "--output", "json"])
        assert done.exit_code == 0, done.output
        assert mentions(owner, PERSONAL) == []
        assert owner.execute(figures).fetchone() == before
        assert owner.execute("select body, answer, card from entry where card = 'c-bert' order by record").fetchall() == berts
        assert all(not each.differences for each in verify(one.house.postgres_uri, one.schema))
        assert export(owner, MONDAY, "opco", signer, target) == head
        erased = json.loads(done.output)
        assert (erased["cards"], erased["bank_lines"]) == (2, 2)
        kept = owner.execute("select member, reason, by_whom, figures ->> 'sealed' from erasure").fetchall()
        assert kept == [(erased["member"], "asked for it", "olga", str(erased["sealed"]))]
    verdict, problems = both(target, tmp_path / "keys.txt", auditor(), head)
    assert (verdict.problems, problems) == ([], [])
    assert not any(word.encode() in target.read_bytes() for word in PERSONAL)
    listed = CliRunner().invoke(app, ["member", "erasures", "--programme", one.id])
    assert "asked for it" in listed.output
    again = CliRunner().invoke(app, ["member", "erase", ANNA, "--reason", "again", "--programme", one.id])
    assert (again.exit_code, "[unknown-member]" in again.output) == (1, True)


def refused(code: ErasureCode, books: psycopg.Connection, reason: str = "asked for it", member: str = ANNA) -> None:
    before = books.execute("select count(*) from entry where card = %s", (CARD,)).fetchone()
    with pytest.raises(NotErased) as refusal:
        erase(books, member, reason, "olga", AT)
    assert refusal.value.code is code
    assert books.execute("select count(*) from entry where card = %s", (CARD,)).fetchone() == before


def test_a_member_who_has_not_left_or_whose_window_is_open_is_not_erased_nor_without_a_reason_nor_by_the_application(one: Coalition) -> None:
    with one.books(owner=True) as owner:
        refused(ErasureCode.STILL_MEMBER, owner)
        refused(ErasureCode.UNKNOWN_MEMBER, owner, member="m-nobody")
        refused(ErasureCode.NO_REASON, owner, reason="  ")
        leave(one)
        refused(ErasureCode.WINDOW_OPEN, owner)
        one.close(MONDAY)
        with one.books() as application:
            refused(ErasureCode.NOT_OWNER, application)
        assert erase(owner, ANNA, "asked for it", "olga", AT).cards == 2


def test_even_the_owner_can_only_erase_from_what_is_append_only(one: Coalition) -> None:
    with one.books(owner=True) as owner:
        of_banks(owner)
        leave(one)
        one.close(MONDAY)
        erase(owner, ANNA, "asked for it", "olga", AT)
        for change in (
            "update bank_line set billing_minor = 101, card_ref = 'erased-1'", "update bank_line set card_ref = 'c-bert'", "delete from bank_line",
            "update recon_expected set reward_units = 2", "update recon_expected set card_ref = 'c-bert'", "truncate recon_expected",
            "update erasure set reason = 'another'", "delete from erasure", "truncate erasure",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(change)


def test_the_commands_of_the_how_to_work_as_they_are_written(one: Coalition, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    leave(one)
    one.close(MONDAY)
    commands = re.findall(r"^ *clh (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["erase", "erasures"]
    said = []
    for command in commands:
        words = [{"m-900": ANNA, "harvest": one.id}.get(word, word) for word in shlex.split(command)]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        said.append(done.output)
    assert "letter 12 of March" in said[-1]
