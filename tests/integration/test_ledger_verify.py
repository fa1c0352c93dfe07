"""`clh ledger verify`: silent on sound books, and whatever is broken in them is found and named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from clearing.entries import Code
from services.cli.main import app
from services.journal import recompute
from services.journal.programmes import NoProgramme
from services.journal.sides import SIDES
from services.journal.verify import Verified, verified, verify
from services.runtime.local import Addresses
from tests.played import Played, played

THREE_NIGHTS = Path(__file__).with_name("three_nights.yaml")


@pytest.fixture(scope="module")
def books(addresses: Addresses) -> Iterator[Played]:
    with played(THREE_NIGHTS, addresses) as one:
        yield one


@pytest.fixture
def broken(books: Played) -> Iterator[psycopg.Connection]:
    """All rights, and no trigger in the way; what a test breaks is whole again after it."""
    with books.owner(autocommit=False) as connection:
        connection.execute("set local session_replication_role = replica")
        yield connection
        connection.rollback()


def found(connection: psycopg.Connection) -> dict[str, Verified]:
    """What differs, by the kind of figure."""
    return {each.what: each for each in verified(connection) if each.differing}


def test_the_books_of_a_scenario_with_everything_are_what_the_journal_says(books: Played, broken: psycopg.Connection) -> None:
    results = verify(books.addresses.postgres_uri, books.schema)
    assert [each for each in results if each.differing] == []
    assert {each.what: each.examined > 0 for each in results} == dict.fromkeys(recompute.COMPARED, True) | {
        "unfunded points": False,
        "visits on passes": False,
        "payments put right": False,
        "corrections": False,  # people book them, no event does: tests/integration/test_corrections.py
    }
    codes = {Code(code) for (code,) in broken.execute("select distinct code from transfer")}
    assert codes >= {
        Code.ACCRUAL, Code.RELEASE, Code.REDEMPTION, Code.REPAYMENT, Code.RETURN_UNSPENT, Code.RETURN_SPENT, Code.REDEMPTION_REVERSAL, Code.EXPIRY, Code.HOLD,
        Code.STAMP, Code.DISCOUNT, Code.REWARD, Code.CASH_BACK, Code.CASH_BACK_REVERSAL, Code.ROUND_UP,
    }  # fmt: skip


FEATURES = Path(__file__).parents[1] / "acceptance" / "worked"


@pytest.mark.parametrize("scenario", ["stamps-under-limits-of-the-whole-programme", "stamp-card-saving-on"])
def test_the_books_of_stamp_cards_that_the_night_decides_or_on_which_members_save_are_what_the_journal_says(addresses: Addresses, scenario: str) -> None:
    with played(FEATURES / f"{scenario}.yaml", addresses) as one:
        results = {each.what: each for each in verify(one.addresses.postgres_uri, one.schema)}
    assert [each for each in results.values() if each.differing] == []
    assert results["stamps"].examined > 0


@pytest.mark.parametrize("part", ["available", "pending", "held", "owed"])
def test_a_changed_balance_is_found(broken: psycopg.Connection, part: str) -> None:
    broken.execute(f"update member set {part} = {part} + 7 where id = 'm3'")  # noqa: S608  # a column from the list above
    differing = found(broken)["balances"].differences
    assert [(each.member, each.place, int(each.found) - int(each.expected)) for each in differing] == [("m3", part, 7)]


def test_a_lot_that_lost_points_is_found_with_its_key(broken: psycopg.Connection) -> None:
    broken.execute("update lot set points = points - 1 where earned = '2026-04-30' and points = 9")
    (difference,) = found(broken)["lots"].differences
    assert difference.member == "m3"
    assert difference.place == "sponsor fuelco, contract 2026-01-01, earned 2026-04-30, expiry 2026-05-31"
    assert (difference.expected, difference.found) == ("9", "8")


def test_a_lot_that_is_gone_is_found(broken: psycopg.Connection) -> None:
    broken.execute("delete from lot where release_on > '0001-01-01' and points > 0")
    (difference,) = found(broken)["lots"].differences
    assert difference.place == "sponsor dairyco, contract 2026-01-01, earned 2026-04-30, expiry 2026-05-31, pending until 2026-05-01"
    assert (difference.expected, difference.found) == ("5", "0")


def test_a_lot_out_of_the_index_and_points_that_never_expired_are_found(broken: psycopg.Connection) -> None:
    broken.execute("update lot set live = not live, expired = 1000 where member = (select no from member where id = 'm2')")
    differing = found(broken)
    assert set(differing) == {"lots in the index", "expired points of lots"}
    assert all(each.found == "1000" and each.expected.startswith("at most ") for each in differing["expired points of lots"].differences)


def test_a_debt_that_was_forgiven_is_found_with_its_bearer(broken: psycopg.Connection) -> None:
    broken.execute("""update member set state = jsonb_set(state::jsonb, '{debts}', '[["grocer", 5]]')::text where id = 'm1'""")
    differing = {(each.place, each.found) for each in found(broken)["debts"].differences}
    assert ("owed for grocer", "5") in differing
    assert ("owed for opco", "0") in differing


def test_a_hold_that_was_closed_without_freeing_its_points_is_found(broken: psycopg.Connection) -> None:
    broken.execute("update original set expires_at = null where expires_at is not null")
    (difference,) = found(broken)["holds"].differences
    assert (difference.member, difference.expected, difference.found) == ("m2", "0", "20")


def test_stamps_that_nobody_gave_are_found(broken: psycopg.Connection) -> None:
    broken.execute("""update member set state = jsonb_set(state::jsonb, '{memory,coffee-card,stamps}', '9')::text where id = 'm2'""")
    (difference,) = found(broken)["stamps"].differences
    assert (difference.member, difference.place, difference.expected, difference.found) == ("m2", "stamps of coffee-card", "6", "9")


def test_a_card_that_lapses_may_have_fewer_stamps_than_were_given_but_not_more(broken: psycopg.Connection) -> None:
    lapsing = """update programme set body = jsonb_set(body, '{mechanics,3,months}', '6')"""
    broken.execute(lapsing)
    broken.execute("""update member set state = jsonb_set(state::jsonb, '{memory,coffee-card,stamps}', '2')::text where id = 'm2'""")
    assert found(broken) == {}
    broken.execute("""update member set state = jsonb_set(state::jsonb, '{memory,coffee-card,stamps}', '7')::text where id = 'm2'""")
    (difference,) = found(broken)["stamps"].differences
    assert (difference.expected, difference.found) == ("0 to 6", "7")


def test_room_under_a_limit_that_was_changed_is_found_of_members_and_of_the_programme(broken: psycopg.Connection) -> None:
    broken.execute("""update member set state = jsonb_set(state::jsonb, '{used,later:0:2026-03}', '4')::text where id = 'm1'""")
    broken.execute("update shared_use set used = used - 1")
    differing = {(each.member, each.place, each.expected, each.found) for each in found(broken)["use of limits"].differences}
    assert differing == {("m1", "limit later:0:2026-03", "5", "4"), (None, "limit opening:0: of the programme", "5", "4")}


def test_a_row_that_was_deleted_is_missed_by_all_that_rests_on_it(broken: psycopg.Connection) -> None:
    broken.execute("delete from transfer where code = %s and member = (select no from member where id = 'm3')", (Code.REDEMPTION,))
    differing = found(broken)
    assert set(differing) == {"lots", "balances", "totals of windows"}


def test_a_row_whose_amount_was_changed_is_found_in_all_that_rests_on_it(broken: psycopg.Connection) -> None:
    broken.execute("update transfer set amount = amount + 1 where code = %s and member = (select no from member where id = 'm2')", (Code.ACCRUAL,))
    assert set(found(broken)) == {"lots", "balances", "totals of windows", "use of limits"}


def test_a_row_that_nobody_sent_an_event_for_is_found(broken: psycopg.Connection) -> None:
    broken.execute("update transfer set entry = entry + 1000000 where code = %s", (Code.DISCOUNT,))
    (difference,) = found(broken)["entries of rows"].differences
    assert (difference.member, difference.found) == ("m3", "no entry")


def test_a_row_of_a_rejected_event_or_in_another_window_is_found(broken: psycopg.Connection) -> None:
    broken.execute("update entry set outcome = 'rejected' where id = 'e6'")
    differences = found(broken)["entries of rows"].differences
    assert {each.found for each in differences} >= {"rejected, window 2026-03-02, member number 3"}


def test_a_total_that_was_written_twice_is_found(broken: psycopg.Connection) -> None:
    broken.execute("insert into total select * from total where code = %s", (Code.PURCHASE,))
    differences = found(broken)["totals of windows"].differences
    assert {each.place.split(",")[0] for each in differences} == {"window 2026-03-02", "window 2026-03-03", "window 2026-04-30"}
    assert all("purchases" in each.place for each in differences)


@pytest.mark.parametrize("column", ["debit", "credit"])
@pytest.mark.parametrize("code", [code for code in SIDES if code in (Code.ACCRUAL, Code.REDEMPTION, Code.EXPIRY, Code.HOLD, Code.STAMP, Code.DISCOUNT)])
def test_a_row_on_an_account_that_its_code_does_not_have_is_found(broken: psycopg.Connection, code: Code, column: str) -> None:
    """To the account of the same role of another party, or of another member."""
    broken.execute(f"update transfer set {column} = {column} + case when {column} < 0 then -4096 else 4 end where code = %s", (code,))  # noqa: S608  # as above
    (rows,) = broken.execute("select count(*) from transfer where code = %s", (code,)).fetchone() or (0,)
    assert rows > 0
    assert found(broken)["accounts of rows"].differing == rows


def test_a_row_in_a_unit_that_its_code_does_not_have_is_found(broken: psycopg.Connection) -> None:
    broken.execute(
        """update transfer set unit = other.eur, debit = debit - (other.eur - unit)
        from (select no eur from unit where id = 'EUR') other where code = %s""",
        (Code.ACCRUAL,),
    )
    assert found(broken)["accounts of rows"].differing > 0


def test_only_the_first_differences_are_named_and_all_are_counted(broken: psycopg.Connection) -> None:
    broken.execute("update member set available = available + 1, pending = pending + 1")
    (balances,) = [each for each in verified(broken, named_max=4) if each.what == "balances"]
    assert (balances.differing, len(balances.differences)) == (6, 4)


def test_the_command_says_what_differs_and_exits_with_one(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    with played(THREE_NIGHTS, addresses) as one:
        sound = CliRunner().invoke(app, ["ledger", "verify", "--programme", one.name])
        assert (sound.exit_code, "Everything is what the journal says." in sound.output) == (0, True)
        with one.owner() as connection:
            connection.execute("update member set available = available + 1 where id = 'm3'")
        told = CliRunner().invoke(app, ["ledger", "verify", "--programme", one.name])
        assert told.exit_code == 1
        assert "1 figures are not what the journal says." in told.output
        as_json = CliRunner().invoke(app, ["ledger", "verify", "--programme", one.name, "--output", "json"])
        assert as_json.exit_code == 1
        document = json.loads(as_json.stdout)
        (difference,) = [each for kind in document["verified"] for each in kind["differences"]]
        assert (document["differing"], difference["member"], difference["place"]) == (1, "m3", "available")


def test_books_without_a_programme_are_said_to_be_missing(addresses: Addresses) -> None:
    with pytest.raises(NoProgramme):
        verify(addresses.postgres_uri, "clh_nothing_here")
