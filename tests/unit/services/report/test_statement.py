"""A statement: its subtotals add up to the party's position in the report, and that to what is paid and carried."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import PartyId
from services.report.statement import UnknownParty, balances, parties_of, statement_tables
from services.report.stored import Shown
from services.report.tables import Money, Rank, Table, for_people
from tests.unit.services.report.sample import ALONE, FIRST, SECOND, SHOWN, line, pairs, positions, report

GROCER, FUELCO, OPCO = PartyId("grocer"), PartyId("fuelco"), PartyId("opco")


def tables_of(party: PartyId, shown: Shown = SHOWN) -> dict[str, Table]:
    return {table.name: table for table in statement_tables(shown, party)}


def rows_of(table: Table) -> list[list[str]]:
    return [[for_people(value) for value in row.cells] for row in table.for_reading.rows]


def test_lines_are_grouped_by_direction_and_kind_down_to_the_position() -> None:
    assert rows_of(tables_of(OPCO)["lines"])[:7] == [
        ["1", "receives", "fee: monthly", "grocer", "2026-01-01", "1", "100.00", "100.00", "EUR", ""],
        ["0", "receives", "fee: percent of issue", "grocer", "2026-01-01", "", "", "0.04", "EUR", ""],
        ["2", "receives", "points issued", "fuelco", "2026-01-01", "5", "0.0110", "0.05", "EUR", "1"],
        ["3", "receives", "points issued", "grocer", "2026-01-01", "12,345,600", "0.0001", "1,234.56", "EUR", "3"],
        ["", "", "points issued", "", "", "", "", "1,234.61", "EUR", ""],
        ["", "all you receive", "", "", "", "", "", "1,334.65", "EUR", ""],
        ["5", "owes", "points redeemed", "grocer", "2026-01-01", "50", "0.0085", "-0.42", "EUR", "1"],
    ]


def test_each_currency_ends_with_the_net_position_of_the_report() -> None:
    ends = [row for row in rows_of(tables_of(OPCO)["lines"]) if row[1] == "net position"]
    assert [(row[7], row[8]) for row in ends] == [("1,334.23", "EUR"), ("-300", "JPY")]


def test_counterparties_add_up_to_the_same_position() -> None:
    assert rows_of(tables_of(GROCER)["counterparties"]) == [
        ["opco", "EUR", "0.42", "1,334.60", "-1,334.18"],
        ["all parties", "EUR", "0.42", "1,334.60", "-1,334.18"],
    ]


def test_what_waited_from_the_night_before_is_settled_with_the_position() -> None:
    assert rows_of(tables_of(FUELCO)["settlement"])[:7] == [
        ["carried in from the window before", "-0.06", "EUR"],
        ["net position of this window", "-0.05", "EUR"],
        ["to settle", "-0.11", "EUR"],
        ["paid to you", "0.00", "EUR"],
        ["paid by you", "0.00", "EUR"],
        ["carried on to the next window", "-0.11", "EUR"],
        ["left", "0.00", "EUR"],
    ]


def test_the_operator_carries_the_opposite_of_what_others_carry() -> None:
    euro = next(balance for balance in balances(SHOWN, OPCO) if balance.currency == "EUR")
    assert (euro.carried_in, euro.net, euro.received, euro.paid, euro.carried_on, euro.left) == (6, 133423, 133418, 0, 11, 0)


def test_nothing_is_left_over_for_anybody() -> None:
    for party in parties_of(SECOND):
        assert all(balance.left == 0 for balance in balances(SHOWN, party))


def test_only_the_run_that_the_report_names_counts_as_the_one_before() -> None:
    other = report(window="2026-03-01", previous_sha256=None)
    assert Shown(SECOND, SECOND.sha256(), (other, FIRST)).previous == FIRST
    assert Shown(SECOND, SECOND.sha256(), (other,)).previous is None
    assert ALONE.previous is None


def test_a_party_sees_its_own_events_rejections_and_points_and_nobody_elses() -> None:
    own = tables_of(GROCER)
    assert rows_of(own["events"]) == [["1,004", "3", "1"]]
    assert rows_of(own["rejected"]) == [["insufficient-points", "1"], ["too-old", "2"], ["all codes", "3"]]
    assert rows_of(own["points"]) == [["12,345,600", "350", "0", "0", "900"]]
    assert [row[:5] for row in rows_of(own["payments"])] == [["grocer", "opco", "EUR", "1,334.18", "2026-03-04"]]
    other = tables_of(FUELCO)
    assert other["events"].rows == other["rejected"].rows == ()


def test_who_owes_is_told_under_which_reference_to_pay_to_which_account() -> None:
    shown = replace(SHOWN, account="DE89370400440532013000")
    owing = tables_of(GROCER, shown)["payments"]
    assert rows_of(owing) == [["grocer", "opco", "EUR", "1,334.18", "2026-03-04", "RF41R22XSV7S74OAQG7R2CLTC", "DE89370400440532013000"]]
    assert owing.note == "Pay under the reference, to the account, by the value date."
    paid = tables_of(FUELCO, shown)["payments"]
    assert [row[5:] for row in rows_of(paid)] == [["", ""]] * len(paid.rows)
    assert paid.note == ""


def test_a_party_that_the_report_does_not_name_has_no_statement() -> None:
    with pytest.raises(UnknownParty, match="has no party cafe; it has fuelco, grocer, opco"):
        statement_tables(SHOWN, PartyId("cafe"))
    known = replace(SHOWN, names={PartyId("cafe"): "Cafe"})
    assert not any(table.rows for table in statement_tables(known, PartyId("cafe")))


PARTIES = st.sampled_from(["a", "b", "c", "d"])
KINDS = st.sampled_from(["issue", "redemption", "fee", "vat"])


@given(st.lists(st.tuples(KINDS, PARTIES, PARTIES, st.integers(1, 10**9), st.sampled_from(["EUR", "JPY"])).filter(lambda one: one[1] != one[2]), max_size=30))
def test_subtotals_add_up_to_the_position_whatever_the_lines(made: list[tuple[str, str, str, int, str]]) -> None:
    lines = sorted((line(kind, debtor, creditor, minor, currency=currency) for kind, debtor, creditor, minor, currency in made), key=lambda one: one["kind"])
    whole = report(obligations=lines, positions=positions(lines), matrix=pairs(lines), payments=[], carried=[])
    shown = Shown(whole, whole.sha256())
    net = {(position.party, position.currency): position.net_minor for position in whole.positions}
    for party in {position.party for position in whole.positions}:
        total, currency_sums = 0, {}
        for row in tables_of(party, shown)["lines"].rows:
            amount, currency = row.cells[8], row.cells[9]
            assert isinstance(amount, Money)
            if row.rank is Rank.LINE:
                total += amount.minor
            elif row.cells[1] == "net position":
                assert amount.minor == total
                currency_sums[str(currency)] = total
                total = 0
        assert currency_sums == {currency: minor for (of, currency), minor in net.items() if of == party}
