"""What statements show of a run after its window has defaulted: money that comes back, is too much, or comes late belongs to somebody and is put right."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.report.verify import verify_report
from services.runtime.local import Addresses
from services.settlement.findings import findings
from services.settlement.runs import newest_run
from services.settlement.verify import verify_settlement
from tests.defaults import again, instructed, sharing
from tests.paying import AtTheBank, approved
from tests.signers import MONDAY, TUESDAY, Signers

LATE = date(2026, 5, 20)
NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def surroundings(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)


def default(signers: Signers, one: AtTheBank, party: str) -> dict[str, int]:
    """Who bears how much."""
    made = signers.default(one.books, [party], LATE, NOW)
    return {line.bearer: line.amount_minor for line in made.borne}


def since(one: AtTheBank, before: int) -> list[tuple[str, str, int]]:
    """Adjustments booked since there were so many; all in the current window."""
    days = one.books.execute("select distinct day from correction where no > %s", (before,)).fetchall()
    assert days in ([], [(TUESDAY,)])
    return sorted(one.corrections()[before:])


def found(one: AtTheBank) -> list[str]:
    return sorted(finding.code.value for finding in findings(one.books, one.now))


def test_what_comes_back_and_what_is_paid_late_after_the_further_run_is_settled_is_put_right_once(addresses: Addresses, tmp_path: Path) -> None:
    with instructed(approved(addresses), tmp_path) as (signers, one):
        cafe, grocer = (one.standings()[party].amount_minor for party in ("cafe", "grocer"))
        back, late, beyond, taken = one.back("cafe"), one.credit("grocer"), one.credit("grocer", 10), one.credit("grocer", grocer + 30, sign="-")
        assert default(signers, one, "grocer") == {"opco": grocer}
        again(signers)
        assert one.pay().state == "settled"
        assert found(one) == [], "what was confirmed before the default is not late"
        booked = len(one.corrections())
        one.take(one.statement(back, late))
        one.match()
        one.match()
        assert since(one, booked) == [("opco", "cafe", cafe)], "the operator bore the loss itself: it keeps what comes of it"
        assert one.books.execute("select amount from payment_correction where correction is null").fetchall() == [(grocer,)]
        assert found(one) == ["BANK_RETURNED"]
        one.take(one.statement(beyond))
        one.match()
        assert since(one, booked + 1) == [("opco", "grocer", 10)]
        one.take(one.statement(taken))
        one.match()
        assert since(one, booked + 2) == [("grocer", "opco", 30)], "the 10 that were owed are taken back, and 20 more than ever came"
        assert [proof for proof in [*verify_settlement(one.books, signers.one.id, MONDAY), *verify_report(one.books, MONDAY)] if not proof.holds] == []


def test_what_comes_between_the_default_and_its_further_run_is_put_right_and_does_not_count_twice(addresses: Addresses, tmp_path: Path) -> None:
    with instructed(approved(addresses), tmp_path) as (signers, one):
        cafe, grocer = (one.standings()[party].amount_minor for party in ("cafe", "grocer"))
        back, late = one.back("cafe"), one.credit("grocer", grocer + 7)
        default(signers, one, "grocer")
        booked = len(one.corrections())
        one.take(one.statement(back, late))
        one.match()
        assert since(one, booked) == [("opco", "cafe", cafe), ("opco", "grocer", 7)]
        again(signers)
        assert newest_run(one.books, MONDAY).report.payments == (), "the further run rests on what counted as paid at the default"
        assert one.pay().state == "settled"
        assert len(one.corrections()) == booked + 2


def test_late_money_goes_to_those_who_bore_the_loss_and_who_had_paid_gets_back_what_is_too_much(addresses: Addresses, tmp_path: Path) -> None:
    with instructed(sharing(addresses), tmp_path) as (signers, one):
        parts = [one.credit("grocer", minor) for minor in (1001, one.standings()["grocer"].amount_minor - 1001, 5)]
        bore = default(signers, one, "grocer")
        assert {"fuelco", "cafe"} <= set(bore)
        again(signers)
        one.pay()
        assert set(one.standings()) == {"fuelco", "cafe"}
        fuelco, more = one.credit("fuelco", one.standings()["fuelco"].amount_minor + 3), one.credit("fuelco", 4)
        one.take(one.statement(fuelco))
        one.match()
        booked = len(one.corrections())
        for part in parts:
            one.take(one.statement(part))
            one.match()
        owed: dict[str, int] = dict.fromkeys([*bore, "grocer"], 0)
        for debtor, creditor, amount in since(one, booked):
            assert debtor == "opco"
            owed[creditor] += amount
        assert owed == {**bore, "opco": 0, "grocer": 5}
        assert default(signers, one, "cafe")
        again(signers)
        one.pay()
        booked = len(one.corrections())
        one.take(one.statement())
        one.match()
        assert since(one, booked) == [("opco", "fuelco", 3)], "what was too much before the default"
        one.take(one.statement(more))
        one.match()
        assert since(one, booked + 1) == [("opco", "fuelco", 4)]
        assert "LATE" not in found(one)
