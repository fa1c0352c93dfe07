"""Programme files: what is refused, where, and in which words."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.mechanics import Multiplier, Pass, StampCard
from schemas.programme import ProgrammeFile
from tests.unit.schemas.golden import programme

Change = Callable[[dict[str, Any]], Any]


def refusals(document: dict[str, Any]) -> list[tuple[tuple[int | str, ...], str]]:
    """Place and words of everything that is wrong."""
    with pytest.raises(ValidationError) as refused:
        ProgrammeFile.model_validate(document, by_name=False)
    return [(error["loc"], error["msg"]) for error in refused.value.errors()]


def mechanic(**fields: Any) -> dict[str, Any]:
    return {"id": "extra", "from": "2026-01-01"} | fields


def accepted(**fields: Any) -> Any:
    """The mechanic, read as the second of a file."""
    document = programme()
    document["mechanics"].append(mechanic(**fields))
    return ProgrammeFile.model_validate(document).mechanics[1]


MISTAKES: dict[str, tuple[Change, tuple[int | str, ...], str]] = {
    "unknown field of the file": (lambda f: f.update(extra=1), ("extra",), "Extra inputs"),
    "unknown field of a contract": (lambda f: f["contracts"][0].update(isue={}), ("contracts", 0, "isue"), "Extra inputs"),
    "Python's name instead of the contract's": (
        lambda f: f["contracts"][0].update(valid_to="2026-12-31"),
        ("contracts", 0, "valid_to"),
        "Extra inputs",
    ),
    "price as a bare number": (lambda f: f["contracts"][0]["issue"].update(price=0.01), ("contracts", 0, "issue", "price"), "bare number"),
    "price as a bare whole number": (lambda f: f["contracts"][0]["issue"].update(price=1), ("contracts", 0, "issue", "price"), "bare number"),
    "negative price": (lambda f: f["contracts"][0]["issue"].update(price="-0.01"), ("contracts", 0, "issue", "price"), "without a sign"),
    "price in powers": (lambda f: f["contracts"][0]["issue"].update(price="1e-2"), ("contracts", 0, "issue", "price"), "plain decimal"),
    "points as text": (lambda f: f["mechanics"][0].update(points="1"), ("mechanics", 0, "points_on_spend", "points"), "valid integer"),
    "points as a word of truth": (lambda f: f["mechanics"][0].update(points=True), ("mechanics", 0, "points_on_spend", "points"), "valid integer"),
    "a day with a time": (lambda f: f["contracts"][0].update({"from": "2026-01-01T00:00:00"}), ("contracts", 0, "from"), "must be a day"),
    "a day as a number": (lambda f: f["contracts"][0].update({"from": 20260101}), ("contracts", 0, "from"), "must be a day"),
    "a day that does not exist": (lambda f: f["contracts"][0].update({"from": "2026-02-30"}), ("contracts", 0, "from"), "valid date"),
    "to before from": (lambda f: f["contracts"][0].update(to="2025-12-31"), ("contracts", 0), "before the first"),
    "an issuer without a price": (lambda f: f["contracts"][0].pop("issue"), ("contracts", 0), "issue price"),
    "an unknown kind of mechanic": (lambda f: f["mechanics"][0].update(kind="points"), ("mechanics", 0), "points_on_spend"),
    "an unknown currency": (lambda f: f["programme"].update(currencies=["EUX"]), ("programme", "currencies", 0), "ISO 4217"),
    "an unknown time zone": (lambda f: f["programme"].update(timezone="Europe/Nowhere"), ("programme", "timezone"), "time zone"),
    "a time zone that leads out of the database": (lambda f: f["programme"].update(timezone="../etc"), ("programme", "timezone"), "time zone"),
    "a currency that the programme does not have": (
        lambda f: f["mechanics"][0]["per"].update(currency="CZK"),
        ("mechanics", 0, "per", "currency"),
        "not among",
    ),
    "a minimum in a currency that the programme does not have": (
        lambda f: f["programme"].update(minimum_settlement={"CZK": "1.00"}),
        ("programme", "minimum_settlement", "CZK"),
        "not among",
    ),
    "a sum with more places than its currency": (
        lambda f: f["programme"].update(minimum_settlement={"EUR": "0.005"}),
        ("programme", "minimum_settlement", "EUR"),
        "2 decimal places",
    ),
    "a limit with more places than the first currency": (
        lambda f: f["mechanics"][0].update(limit={"amount": "0.001", "per": "day"}),
        ("mechanics", 0, "limit", 0, "amount"),
        "2 decimal places",
    ),
    "a limit of two measures": (
        lambda f: f["mechanics"][0].update(limit=[{"points": 1, "times": 1, "per": "day"}]),
        ("mechanics", 0, "points_on_spend", "limit", 0),
        "exactly one",
    ),
    "a party that is named twice": (lambda f: f["parties"].append(f["parties"][1]), ("parties", 3, "id"), "named twice"),
    "a party with the word for the sender": (
        lambda f: f["parties"].append({"id": "purchase_partner", "kind": "merchant", "name": "X"}),
        ("parties", 3, "id"),
        "stands for",
    ),
    "an operator that does not exist": (lambda f: f["programme"]["operator"].update(party="who"), ("programme", "operator", "party"), "no party who"),
    "a partner that does not exist": (lambda f: f["mechanics"][0].update(partners=["who"]), ("mechanics", 0, "partners", 0), "no party who"),
    "a bank that is none": (
        lambda f: (f["mechanics"][0].pop("partners"), f["mechanics"][0].update(banks=["grocer"])),
        ("mechanics", 0, "banks", 0),
        "not a bank",
    ),
    "partners and banks": (lambda f: f["mechanics"][0].update(banks=["grocer"]), ("mechanics", 0, "points_on_spend"), "not both"),
    "a funder that does not exist": (
        lambda f: f["mechanics"][0].update(funding=[{"party": "who", "share": "1"}]),
        ("mechanics", 0, "funding", 0, "party"),
        "no party who",
    ),
    "shares that do not add up": (
        lambda f: f["mechanics"][0].update(funding=[{"party": "grocer", "share": "0.3"}, {"party": "fuelco", "share": "0.69"}]),
        ("mechanics", 0, "funding"),
        "add up to 0.99",
    ),
    "two versions from one day": (lambda f: f["contracts"].append(f["contracts"][0]), ("contracts", 2, "from"), "two contract versions"),
    "a mechanic that stands twice": (lambda f: f["mechanics"].append(f["mechanics"][0]), ("mechanics", 1, "id"), "twice for the same days"),
    "a later version of another kind": (
        lambda f: (
            f["mechanics"][0].update(to="2026-02-28"),
            f["mechanics"].append(mechanic(id="base", kind="card_discount", percent="1", **{"from": "2026-03-01"})),
        ),
        ("mechanics", 1, "id"),
        "different kinds",
    ),
    "due at issue in the independent model": (lambda f: f["contracts"][0].update(due_at_issue="0.5"), ("contracts", 0, "due_at_issue"), "independent model"),
    "a multiplier of what comes after it": (
        lambda f: f["mechanics"].insert(0, mechanic(kind="multiplier", factor="2", of=["base"])),
        ("mechanics", 0, "of", 0),
        "no points_on_spend base before it",
    ),
    "hours that are none": (lambda f: f["mechanics"][0].update(when={"hours": ["5pm", "19:00"]}), ("mechanics", 0, "points_on_spend", "when"), "two times"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_its_place(mistake: str) -> None:
    change, place, words = MISTAKES[mistake]
    document = programme()
    change(document)
    assert any(at == place and words in said for at, said in refusals(document)), refusals(document)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    document = programme()
    document["mechanics"][0].update(partners=["who"], funding=[{"party": "grocer", "share": "0.5"}])
    document["contracts"][0]["due_at_issue"] = "0"
    assert len(refusals(document)) == 3


def test_the_hybrid_model_needs_due_at_issue_of_issuers_only() -> None:
    document = programme("hybrid-basics-half-due-at-issue")
    document["contracts"][1] = {"party": "fuelco", "from": "2026-01-01", "roles": ["redeemer"], "redeem": {"price": "0.0085", "currency": "EUR"}}
    ProgrammeFile.model_validate(document)
    del document["contracts"][0]["due_at_issue"]
    assert [at for at, _ in refusals(document)] == [("contracts", 0, "due_at_issue")]


@pytest.mark.parametrize(("model", "share"), [("independent", "1"), ("anchor", "0")])
def test_due_at_issue_is_filled_in_where_the_model_leaves_no_choice(model: str, share: str) -> None:
    document = programme()
    document["programme"]["operator"]["model"] = model
    for contract in document["contracts"]:
        contract.pop("due_at_issue")
    file = ProgrammeFile.model_validate(document)
    assert {str(contract.share_due_at_issue(file.programme.operator.model)) for contract in file.contracts} == {share}


def test_what_may_be_left_out_has_the_contracts_defaults() -> None:
    document = programme()
    for name in ("entry", "accepts_events_up_to_days", "claim_days", "pending_days", "minimum_settlement", "minimum_redemption"):
        document["programme"].pop(name)
    terms = ProgrammeFile.model_validate(document).programme
    assert (terms.accepts_events_up_to_days, terms.claim_days, terms.pending_days, terms.entry.kind) == (60, 30, 0, "open")
    assert terms.minimum_settlement_of("EUR") == 0


def test_a_later_version_of_a_mechanic_may_follow() -> None:
    document = programme()
    document["mechanics"][0]["to"] = "2026-02-28"
    document["mechanics"].append(document["mechanics"][0] | {"from": "2026-03-01", "to": None, "points": 2})
    assert [version.id for version in ProgrammeFile.model_validate(document).mechanics] == ["base", "base"]


def test_limits_are_a_tuple_however_they_were_written() -> None:
    one = {"points": 100, "per": "day", "of": "member"}
    assert accepted(kind="fixed_bonus", points=5, each="event", limit=one).limit == accepted(kind="fixed_bonus", points=5, each="event", limit=[one]).limit


EVERY_KIND: list[dict[str, Any]] = [
    {"kind": "points_on_spend", "points": 1, "per": {"amount": "1.00", "currency": "EUR"}, "rounding": "proportional"},
    {"kind": "multiplier", "factor": "1.5"},
    {"kind": "fixed_bonus", "points": 5, "each": "unit"},
    {"kind": "card_discount", "percent": "10"},
    {
        "kind": "cumulative_discount",
        "measure": "turnover",
        "steps": [{"from": "100.00", "percent": "5"}, {"from": "200.00", "percent": "7", "gift": "mug"}],
        "idle_months": 1,
    },
    {"kind": "cumulative_discount", "measure": "units", "steps": [{"from": 50, "percent": "5"}], "period": "calendar_year"},
    {
        "kind": "tier",
        "levels": [{"id": "silver", "from": {"turnover": "100.00"}}, {"id": "gold", "from": {"points": 500}}],
        "single_purchase": {"gold": "500.00"},
        "period": "rolling_12_months",
        "downgrade": "to_earned",
        "valid": {"months": 12},
    },
    {"kind": "paid_membership", "fee": {"amount": "20.00", "currency": "EUR"}, "months": 12, "tier": "gold"},
    {
        "kind": "stamp_card",
        "stamp_for": {"amount": "5.00"},
        "rows": [4, 4],
        "gift": ["coffee", "cake"],
        "gift_value": ["2.40", "3.10"],
        "on_full": "restart",
        "months": 6,
    },
    {"kind": "collect_set", "items": ["a", "b"], "prize": "mug", "prizes_max": 100},
    {"kind": "prize_draw", "entry_for": "purchase", "prizes": [{"prize": "car"}], "draw_on": "2026-12-24", "seed": "ab" * 32},
    {"kind": "offer", "offer": "base", "coupon": "SPRING", "uses": 1, "activation": True},
    {"kind": "contest", "measure": "turnover", "winners": [{"prize": "bike", "count": 3}], "invited": True},
    {
        "kind": "card_points",
        "rates": [{"mcc": ["5411", "5500-5599"], "points": 1, "per": {"amount": "1.00", "currency": "EUR"}}],
        "exclude_mcc": ["quasi_cash"],
    },
    {"kind": "cash_back", "percent": "2", "least_spend": "5.00", "least_payout": "1.00", "payout": "monthly", "payer": "opco"},
    {"kind": "cash_back", "rates": [{"mcc": "5411", "percent": "0.01"}], "exclude_mcc": ["quasi_cash", "6010-6012"]},
    {"kind": "round_up", "multiple": "1.00", "match": {"party": "grocer", "percent": "50", "limit": {"amount": "1.50", "per": "month"}, "months": 12}},
    {"kind": "volume_rebate", "steps": [{"from": "1000.00", "percent": "1"}], "year_end": "12-31"},
    {"kind": "pass", "visits": 10, "price": {"amount": "50.00", "currency": "EUR"}, "partners": [{"party": "grocer", "per_visit": "4.00"}], "months": 12},
    {"kind": "trade_in", "per": {"phones": "20.00"}},
    {"kind": "gift", "gift": "mug", "value": "2.00"},
    {"kind": "activity", "activity": "referral", "points": 100, "referee_points": 50},
    {"kind": "privilege", "services": [{"id": "lounge", "provider": "grocer", "cost": "12.00"}]},
    {"kind": "occasion", "occasion": "win_back", "idle_months": 6, "points": 100},
    {"kind": "occasion", "occasion": "birthday", "gift": "cake"},
    {"kind": "price_promise", "days": 30, "return_days": 90},
]


@pytest.mark.parametrize("fields", EVERY_KIND, ids=lambda fields: fields["kind"])
def test_every_kind_of_the_table_is_read(fields: dict[str, Any]) -> None:
    assert accepted(**fields).kind == fields["kind"]


def test_every_kind_has_an_example_here() -> None:
    document = programme()
    document["mechanics"][0]["kind"] = "none of them"
    (refusal,) = refusals(document)
    assert all(f"'{fields['kind']}'" in refusal[1] for fields in EVERY_KIND)
    assert refusal[1].count("', '") == len({fields["kind"] for fields in EVERY_KIND}) - 1


WRONG_MECHANICS: list[dict[str, Any]] = [
    {"kind": "multiplier", "factor": "0.5"},
    {"kind": "cumulative_discount", "measure": "turnover", "steps": [{"from": 100, "percent": "5"}]},
    {"kind": "cumulative_discount", "measure": "units", "steps": [{"from": 50, "percent": "5"}, {"from": 50, "percent": "6"}]},
    {"kind": "tier", "levels": [{"id": "gold", "from": {"turnover": "1.00", "points": 5}}], "period": "ever"},
    {"kind": "tier", "levels": [{"id": "gold", "from": {"points": 5}}], "single_purchase": {"silver": "5.00"}, "period": "ever"},
    {"kind": "stamp_card", "stamp_for": "unit", "rows": [4, 4], "gift": ["coffee"]},
    {"kind": "cash_back"},
    {"kind": "cash_back", "percent": "1", "rates": [{"mcc": "5411", "percent": "1"}]},
    {"kind": "occasion", "occasion": "birthday", "points": 5, "gift": "cake"},
    {"kind": "occasion", "occasion": "birthday", "points": 5, "idle_months": 2},
    {"kind": "offer", "offer": "nothing"},
    {"kind": "fixed_bonus", "points": 5, "budget": {"points": 1, "amount": "1.00", "at_end": "stop"}},
    {"kind": "fixed_bonus", "points": 5, "expiry": {"kind": "fixed", "month": 2, "day": 30}},
    {"kind": "gift", "gift": "mug", "value": 2},
]


@pytest.mark.parametrize("fields", WRONG_MECHANICS, ids=lambda fields: fields["kind"])
def test_a_mechanic_that_contradicts_itself_is_refused(fields: dict[str, Any]) -> None:
    document = programme()
    document["mechanics"].append(mechanic(**fields))
    assert refusals(document)


def test_gifts_are_found_by_row() -> None:
    card = accepted(kind="stamp_card", stamp_for="unit", rows=[4, 4], gift="coffee", gift_value=["2.40", "3.10"])
    assert isinstance(card, StampCard)
    assert [(card.gift_of(row), str(card.value_of(row))) for row in (0, 1)] == [("coffee", "2.40"), ("coffee", "3.10")]


def test_a_multiplier_without_names_means_all_before_it() -> None:
    doubled = accepted(kind="multiplier", factor="2")
    assert isinstance(doubled, Multiplier)
    assert doubled.of is None


def test_the_partners_of_a_pass_have_the_form_of_others() -> None:
    ticket = accepted(kind="pass", visits=1, price={"amount": "5.00", "currency": "EUR"}, partners=[{"party": "grocer", "per_visit": "4.00"}], months=1)
    assert isinstance(ticket, Pass)
    assert ticket.partners == ("grocer",)
