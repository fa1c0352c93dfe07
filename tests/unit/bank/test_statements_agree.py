"""An independent reader of statements (pycamt) says the same of generated ones as ours."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from pycamt.parser import Camt053Parser  # type: ignore[import-untyped]  # it has no types

from schemas.bank_messages import Statement
from schemas.money import currency_places, to_text
from services.bank.messages import read_message
from tests.bank_messages import OURS, Movement, statement, transaction

SUMS = st.integers(-10_000_000, 10_000_000).filter(bool)
TEXTS = st.text(st.sampled_from("abcdefghij XYZ-/+.,?()"), min_size=1, max_size=60).filter(lambda text: text.strip() == text)
MOVEMENTS = st.lists(st.tuples(st.lists(SUMS, min_size=1, max_size=4), st.sampled_from(["BOOK", "BOOK", "BOOK", "PDNG"]), TEXTS), max_size=6)


def batch(parts: list[int], currency: str, no: int, words: str) -> str:
    more = f"<RmtInf><Ustrd>{words}</Ustrd></RmtInf>"
    return "".join(transaction(to_text(part, currency), end_to_end=f"P-{no}-{at}", currency=currency, more=more) for at, part in enumerate(parts))


@settings(max_examples=60, deadline=None)
@given(MOVEMENTS, SUMS, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_another_reader_agrees_on_balances_sums_sides_states_and_ids(movements: list[tuple[list[int], str, str]], opening: int, currency: str) -> None:
    booked = sum(sum(parts) for parts, status, _ in movements if status == "BOOK")
    content = statement(
        *(
            Movement(to_text(sum(parts), currency), f"B-{no}", batch(parts, currency, no, words), status)
            for no, (parts, status, words) in enumerate(movements)
        ),
        opening=to_text(opening, currency), closing=to_text(opening + booked, currency), currency=currency,
    )  # fmt: skip
    (ours,) = read_message(content)  # type: ignore[misc]
    assert isinstance(ours, Statement)
    other = Camt053Parser(content)
    (account,) = other.get_statement_info()
    places = currency_places(currency)
    assert (account["IBAN"], account["Currency"]) == (OURS, currency)
    assert (ours.opening_minor, ours.closing_minor) == tuple(int(Decimal(account[name]).scaleb(places)) for name in ("OpeningBalance", "ClosingBalance"))
    told = [
        (one["EndToEndId"], int(Decimal(one["Amount"]).scaleb(places)), one["CreditDebitIndicator"] == "CRDT", one["Status"] == "BOOK", one["BookingDate"],
         one["ValueDate"], one["RemittanceInformation"])
        for one in other.get_transactions()
    ]  # fmt: skip
    assert told == [
        (one.end_to_end_id, one.amount_minor, one.credit, one.booked, str(one.booking_date), str(one.value_date), one.remittance) for one in ours.entries
    ]
