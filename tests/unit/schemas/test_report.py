"""Reports: the JSON of the contract, and one text for one content."""

import json
from decimal import Decimal
from typing import Any

from schemas.canonical import canonical_json, sha256_hex
from schemas.report import ReportLine, ScenarioReport, SettlementReport

CONTRACT = """
{"scenario": "independent-basics", "passed": true, "differences": [],
 "balances": {"m1": {"available": 4, "pending": 0}},
 "events": {"e1": {"outcome": "accepted", "window": "2026-03-02", "effects": [{"mechanic": "base", "kind": "points", "points": 54, "sponsor": "grocer"}]},
            "e2": {"outcome": "accepted", "window": "2026-03-02", "effects": [{"mechanic": null, "kind": "points", "points": -50, "sponsor": "grocer"}]}},
 "rejected": {},
 "obligations": [{"window": "2026-03-02", "kind": "issue", "debtor": "grocer", "creditor": "opco", "detail": null, "currency": "EUR", "quantity": 54,
                  "unit_price": "0.0100", "amount": "0.54", "events": 1, "contract": "2026-01-01"},
                 {"window": "2026-03-02", "kind": "redemption", "debtor": "opco", "creditor": "fuelco", "detail": null, "currency": "EUR", "quantity": 50,
                  "unit_price": "0.0085", "amount": "0.42", "events": 1, "contract": "2026-01-01"}],
 "positions": {"2026-03-02": {"EUR": {"fuelco": "0.42", "grocer": "-0.54", "opco": "0.12"}}},
 "payments": [{"window": "2026-03-02", "currency": "EUR", "from": "grocer", "to": "opco", "amount": "0.54"},
              {"window": "2026-03-02", "currency": "EUR", "from": "opco", "to": "fuelco", "amount": "0.42"}],
 "carried": {},
 "members": {},
 "checks": {"journal_balanced": true, "positions_sum_to_zero": true, "recomputed_equal": true, "every_event_once": true}}
"""


def settlement(**fields: Any) -> SettlementReport:
    line = {
        "kind": "issue",
        "detail": None,
        "debtor": "grocer",
        "creditor": "opco",
        "currency": "EUR",
        "contract": "2026-01-01",
        "quantity": 54,
        "unit_price": Decimal("0.0000001"),
        "amount_minor": 54,
        "events": 1,
    }
    figures = {"issued": 54, "redeemed": 0, "expired": 0, "returned": 0, "outstanding": 54}
    document: dict[str, Any] = {
        "programme": "harvest",
        "window": "2026-03-02",
        "previous_sha256": None,
        "operator": "opco",
        "netting": "multilateral",
        "currencies": [{"code": "EUR", "places": 2}],
        "positions": [{"currency": "EUR", "party": "grocer", "receives_minor": 0, "owes_minor": 54, "net_minor": -54}],
        "obligations": [line],
        "matrix": [{"currency": "EUR", "debtor": "grocer", "creditor": "opco", "amount_minor": 54}],
        "payments": [{"currency": "EUR", "from": "grocer", "to": "opco", "amount_minor": 54}],
        "carried": [{"currency": "EUR", "party": "fuelco", "amount_minor": -6, "since": "2026-03-01"}],
        "checks": [{"name": "journal_balanced", "ok": True, "figures": {"points": "debited 54, credited 54"}}],
        "senders": [{"source": "/partners/grocer", "accepted": 1, "rejected": 1, "held": 0}],
        "rejections": [{"source": "/partners/grocer", "code": "too-old", "events": 1}],
        "points": figures | {"by_sponsor": [figures | {"sponsor": "grocer"}]},
    }
    return SettlementReport.model_validate(document | fields)


def test_the_contracts_scenario_report_is_read_and_written_the_same() -> None:
    document = json.loads(CONTRACT)
    report = ScenarioReport.model_validate(document)
    assert report.document() == document
    assert list(json.loads(report.as_json())) == list(document)


def test_an_event_that_is_held_has_no_window() -> None:
    document = json.loads(CONTRACT)
    document["events"] = {"e1": {"outcome": "held", "effects": []}}
    assert ScenarioReport.model_validate(document).document()["events"] == {"e1": {"outcome": "held", "effects": []}}


def test_canonical_json_is_one_line_with_sorted_keys_and_plain_decimals() -> None:
    text = settlement().canonical().decode()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert '"unit_price":"0.0000001"' in text
    assert '"from":"grocer"' in text


def test_canonical_json_is_read_back_to_the_same_bytes() -> None:
    report = settlement()
    again = SettlementReport.model_validate_json(report.canonical())
    assert again == report
    assert again.canonical() == report.canonical()


def test_another_content_has_another_hash() -> None:
    assert settlement().sha256() == settlement().sha256()
    assert settlement().sha256() != settlement(previous_sha256="0" * 64).sha256()


def test_the_hash_is_that_of_the_bytes() -> None:
    assert settlement().sha256() == sha256_hex(canonical_json(settlement()))
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_price_keeps_all_places_of_a_product() -> None:
    price = Decimal("0.123456789012") * Decimal("0.123456789012")
    line = ReportLine.model_validate(settlement().obligations[0].model_dump() | {"unit_price": price})
    assert ReportLine.model_validate_json(line.model_dump_json()).unit_price == price
