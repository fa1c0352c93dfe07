"""What two people sign about disputes and defaults: one text for one content, in which nothing can be exchanged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from clearing.decisions import Says
from clearing.default_loss import Borne, Unpaid
from clearing.disputes import DisputeState
from clearing.entries import Code
from clearing.two_people import Declaration, Disputed, Opening, Ruling, borne_as_told, default_bytes, dispute_bytes, unpaid_as_told
from schemas.ids import PartyId

AT = datetime(2026, 3, 5, 7, 0, tzinfo=UTC)
WHAT = Disputed("harvest", date(2026, 3, 2), 7, 3, "fee", None, "grocer", "opco", "EUR", 500, 120, True, date(2026, 4, 1), "Überpreis")
OPENING = Opening(WHAT, "mia", AT)
RULING = Ruling(4, WHAT, DisputeState.UPHELD, "agreed", "carl", AT, "ab" * 32)
OPCO, GROCER, FUELCO, BAKER = (PartyId(name) for name in ("opco", "grocer", "fuelco", "baker"))
UNPAID = (Unpaid(GROCER, "EUR", 900, 200), Unpaid(BAKER, "EUR", 50, 80))
BORNE = (
    Borne(Code.DEFAULT_LOSS, FUELCO, GROCER, "EUR", 700),
    Borne(Code.ADJUSTMENT, OPCO, GROCER, "EUR", 200),
    Borne(Code.ADJUSTMENT, OPCO, BAKER, "EUR", 50),
)
DECLARED = Declaration("harvest", date(2026, 3, 2), 7, "cd" * 32, Says.DECIDE, UNPAID, BORNE, "carl", AT, "ef" * 32)


def test_who_opens_a_dispute_signs_every_figure_of_it() -> None:
    assert OPENING.signed().decode() == (
        'clh dispute signature v1\n{"action":"propose","amount_minor":120,"at":"2026-03-05T07:00:00.000000+00:00","creditor":"opco","currency":"EUR",'
        '"debtor":"grocer","decide_by":"2026-04-01","detail":null,"kind":"fee","line":3,"line_minor":500,"person":"mia","programme":"harvest",'
        '"reason":"Überpreis","run":7,"window":"2026-03-02","withheld":true}'
    )
    assert OPENING.signed() == dispute_bytes(OPENING.document())


def test_who_decides_it_signs_the_same_with_the_outcome_and_what_was_opened() -> None:
    assert RULING.signed().decode() == (
        'clh dispute signature v1\n{"action":"decide","amount_minor":120,"at":"2026-03-05T07:00:00.000000+00:00","creditor":"opco","currency":"EUR",'
        '"debtor":"grocer","decide_by":"2026-04-01","detail":null,"dispute":4,"kind":"fee","line":3,"line_minor":500,"note":"agreed",'
        f'"opening":"{"ab" * 32}","outcome":"upheld","person":"carl","programme":"harvest","reason":"Überpreis","run":7,"window":"2026-03-02","withheld":true}}'
    )


def test_who_proposes_or_decides_a_default_signs_who_has_not_paid_and_who_bears_it() -> None:
    assert DECLARED.signed().decode() == (
        'clh default signature v1\n{"action":"decide","at":"2026-03-05T07:00:00.000000+00:00",'
        '"borne":[["adjustment","opco","baker","EUR",50],["adjustment","opco","grocer","EUR",200],["default_loss","fuelco","grocer","EUR",700]],'
        f'"person":"carl","programme":"harvest","proposal":"{"ef" * 32}","report_sha256":"{"cd" * 32}","run":7,'
        '"unpaid":[["baker","EUR",50,50],["grocer","EUR",900,200]],"window":"2026-03-02"}'
    )
    assert DECLARED.signed() == default_bytes(DECLARED.document())
    assert '"action":"propose"' in replace(DECLARED, says=Says.PROPOSE, proposal=None).document()


def test_the_order_in_which_figures_were_found_is_not_signed() -> None:
    assert replace(DECLARED, unpaid=UNPAID[::-1], borne=BORNE[::-1]).signed() == DECLARED.signed()
    assert unpaid_as_told(UNPAID[::-1]) == [["baker", "EUR", 50, 50], ["grocer", "EUR", 900, 200]]
    assert borne_as_told(BORNE[:1]) == [["default_loss", "fuelco", "grocer", "EUR", 700]]


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's clock stands in another zone than UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_one_moment_is_one_text_in_whatever_zone_and_to_the_microsecond() -> None:
    assert '"at":"2026-03-05T07:00:00.000000+00:00"' in OPENING.document()
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    for one in (OPENING, RULING, DECLARED):
        assert replace(one, at=elsewhere).signed() == one.signed()
        assert replace(one, at=AT + timedelta(microseconds=1)).signed() != one.signed()


OTHERWISE: dict[type, Any] = {
    str: "other",
    int: 99,
    date: date(2026, 3, 9),
    bool: False,
    type(None): "there",
    DisputeState: DisputeState.RELEASED,
    Says: Says.PROPOSE,
}


@pytest.mark.parametrize("field", [one.name for one in fields(Disputed)])
def test_nothing_of_what_is_disputed_can_be_exchanged_under_a_signature(field: str) -> None:
    changed = replace(WHAT, **{field: OTHERWISE[type(getattr(WHAT, field))]})
    assert replace(OPENING, disputed=changed).signed() != OPENING.signed()
    assert replace(RULING, disputed=changed).signed() != RULING.signed()


@pytest.mark.parametrize("field", ["dispute", "outcome", "note", "person", "opening"])
def test_nothing_of_a_ruling_can_be_exchanged(field: str) -> None:
    assert replace(RULING, **{field: OTHERWISE[type(getattr(RULING, field))]}).signed() != RULING.signed()


@pytest.mark.parametrize("field", ["programme", "window", "run", "report_sha256", "says", "person", "proposal"])
def test_nothing_of_a_declaration_can_be_exchanged(field: str) -> None:
    assert replace(DECLARED, **{field: OTHERWISE[type(getattr(DECLARED, field))]}).signed() != DECLARED.signed()


@pytest.mark.parametrize("field", ["party", "currency", "amount_minor", "funds_minor"])
def test_no_figure_of_what_was_unpaid_can_be_exchanged(field: str) -> None:
    (first, *rest) = UNPAID
    changed = replace(first, **{field: OTHERWISE[type(getattr(first, field))]})
    assert replace(DECLARED, unpaid=(changed, *rest)).signed() != DECLARED.signed()


@pytest.mark.parametrize("change", [{"code": Code.ADJUSTMENT}, {"bearer": BAKER}, {"defaulter": BAKER}, {"currency": "CZK"}, {"amount_minor": 699}], ids=str)
def test_no_figure_of_what_is_borne_can_be_exchanged(change: dict[str, Any]) -> None:
    (first, *rest) = BORNE
    assert replace(DECLARED, borne=(replace(first, **change), *rest)).signed() != DECLARED.signed()


def test_no_signature_about_a_dispute_can_be_taken_for_one_about_a_default() -> None:
    assert dispute_bytes("{}") == b"clh dispute signature v1\n{}"
    assert default_bytes("{}") == b"clh default signature v1\n{}"
