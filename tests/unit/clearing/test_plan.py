"""The compiled programme: which contract and which mechanics apply to a seller on an event date, and who funds them (rules 1, 6)."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from clearing.mechanics import UnsupportedMechanic
from clearing.member import LotKey
from clearing.plan import Plan, Rule, applies_to, funding_of
from schemas.ids import MechanicId, PartyId
from schemas.mechanics import FundingShare
from tests.unit.clearing.baskets import day, entry
from tests.unit.clearing.coalition import FIRST
from tests.unit.clearing.till import BASE, BOTH, Entry, coalition, contract, mechanic

GROCER, FUELCO, OPCO = PartyId("grocer"), PartyId("fuelco"), PartyId("opco")
MARCH, JULY = day("2026-03-02"), day("2026-07-01")


def plan(*mechanics: Entry, **terms: Any) -> Plan:
    return Plan(coalition(*mechanics, **terms))


def lots(rule: Rule) -> dict[PartyId, LotKey | None]:
    """Into which lot each sponsor gives."""
    return {sponsor: what.lot for sponsor, what in rule.accruals.items()}


def two_versions(**first: Any) -> Plan:
    return plan(contracts=(contract("grocer", "0.0100", **first), contract("grocer", "0.0200", since=JULY)))


def test_the_plan_knows_the_programmes_terms() -> None:
    one = plan(model="anchor")
    assert (one.operator, one.anchor, one.currencies, str(one.zone)) == (OPCO, True, frozenset({"EUR", "CZK"}), "Europe/Berlin")
    assert set(one.parties) == {"opco", "grocer", "fuelco", "baker", "dairyco", "bank1", "bank2"}
    assert not plan().anchor
    assert not plan(model="hybrid", contracts=()).anchor


@pytest.mark.parametrize(
    ("on", "version"),
    [("2025-12-31", None), ("2026-01-01", "2026-01-01"), ("2026-06-30", "2026-01-01"), ("2026-07-01", "2026-07-01"), ("2031-01-01", "2026-07-01")],
)
def test_in_force_is_the_latest_version_that_has_begun(on: str, version: str | None) -> None:
    one = two_versions()
    for _ in range(2):  # asked again, the answer is the same
        found = one.contract(GROCER, day(on))
        assert (found.valid_from.isoformat() if found else None) == version


def test_versions_may_stand_in_the_file_in_any_order() -> None:
    one = plan(contracts=(contract("grocer", "0.02", since=JULY), contract("grocer", "0.01")))
    found = one.contract(GROCER, MARCH)
    assert found is not None
    assert found.valid_from == FIRST


def test_after_its_last_day_a_version_is_over_even_if_an_older_one_has_no_end() -> None:
    one = plan(contracts=(contract("grocer", "0.01"), contract("grocer", "0.02", since=JULY, to=day("2026-07-31"))))
    assert one.contract(GROCER, day("2026-07-31")) is not None
    assert one.contract(GROCER, day("2026-08-01")) is None


def test_a_party_without_contracts_has_none() -> None:
    assert plan().contract(OPCO, MARCH) is None


def test_only_an_issuer_with_a_price_issues() -> None:
    one = plan(
        contracts=(
            contract("grocer", "0.01"),
            contract("fuelco", None, "0.0085"),
            contract("baker", "0.01") | {"roles": []},
            contract("dairyco", "0.01", since=JULY),
        )
    )
    assert one.issuing_contract(GROCER, MARCH) == FIRST
    assert one.issuing_contract(FUELCO, MARCH) is None
    assert one.issuing_contract(PartyId("baker"), MARCH) is None
    assert one.issuing_contract(PartyId("dairyco"), MARCH) is None
    assert one.issuing_contract(PartyId("dairyco"), JULY) == JULY
    assert one.issuing_contract(GROCER, MARCH) == FIRST  # asked again


def test_a_redeemer_needs_the_role_and_but_for_the_anchor_model_a_price() -> None:
    no_price = contract("grocer", "0.01") | {"roles": ["issuer", "redeemer"]}
    contracts = (no_price, contract("fuelco", None, "0.0085"), contract("baker", "0.01", "0.0085") | {"roles": ["issuer"]})
    for model, expected in (("independent", None), ("hybrid", None), ("anchor", FIRST)):
        due = {"due_at_issue": "0.5"} if model == "hybrid" else {}
        one = plan(contracts=tuple(version | due for version in contracts), model=model)
        assert one.redeeming_contract(GROCER, MARCH) == expected
        assert one.redeeming_contract(FUELCO, MARCH) == FIRST
        assert one.redeeming_contract(PartyId("baker"), MARCH) is None
        assert one.redeeming_contract(OPCO, MARCH) is None


def names(one: Plan, on: str, seller: PartyId = GROCER) -> list[str]:
    return [rule.mechanic.id for rule in one.rules(seller, day(on)).all]


def test_mechanics_apply_from_their_first_day_to_their_last() -> None:
    one = plan(mechanic("fixed_bonus", "summer", points=1) | {"from": day("2026-06-01"), "to": day("2026-08-31")})
    assert [names(one, on) for on in ("2026-05-31", "2026-06-01", "2026-08-31", "2026-09-01")] == [[], ["summer"], ["summer"], []]


def test_of_a_mechanics_versions_that_of_the_day_applies_in_its_own_place() -> None:
    first = mechanic("fixed_bonus", "bonus", points=1) | {"to": day("2026-06-30")}
    second = mechanic("fixed_bonus", "bonus", points=2) | {"from": JULY, "to": day("2026-07-31")}
    one = plan(first, BASE, second)
    assert names(one, "2026-06-30") == ["bonus", "base"]
    assert names(one, "2026-07-01") == ["base", "bonus"]
    assert names(one, "2026-08-01") == ["base"]
    assert [rule.place for rule in one.rules(GROCER, JULY).all] == [1, 2]
    assert one.rules(GROCER, JULY) is one.rules(GROCER, JULY)


def test_a_mechanics_versions_may_stand_in_the_file_in_any_order() -> None:
    old = mechanic("fixed_bonus", "bonus", points=1) | {"to": day("2026-06-30")}
    new = mechanic("fixed_bonus", "bonus", points=2) | {"from": JULY}
    one = plan(new, old)
    assert [rule.place for rule in one.rules(GROCER, JULY).all] == [0]
    assert [rule.place for rule in one.rules(GROCER, MARCH).all] == [1]


@pytest.mark.parametrize("of", ["member", "programme"])
def test_limits_in_money_are_in_the_programmes_first_currency(of: str) -> None:
    discount = mechanic("card_discount", "gold", percent="10", limit={"amount": "1.500", "per": "day", "of": of})
    (rule,) = plan(discount, currencies=["KWD", "EUR"]).rules(GROCER, MARCH).all
    limits = rule.limits if of == "member" else rule.shared
    assert limits is not None
    assert limits.cut(9999, {}, MARCH) == 1500


def test_mechanics_apply_to_the_partners_they_name() -> None:
    one = plan(mechanic("fixed_bonus", "all", points=1), mechanic("fixed_bonus", "some", points=1, partners=["fuelco", "baker"]))
    assert names(one, "2026-03-02") == ["all"]
    assert names(one, "2026-03-02", FUELCO) == ["all", "some"]


def test_a_mechanic_that_names_banks_only_is_for_no_partner() -> None:
    assert not applies_to(entry("fixed_bonus", points=1, banks=["bank1"]), GROCER)
    assert not applies_to(entry("fixed_bonus", points=1, banks=["bank1"]), PartyId("bank1"))
    assert applies_to(entry("fixed_bonus", points=1), GROCER)
    assert applies_to(entry("fixed_bonus", points=1, partners=["grocer"]), GROCER)
    assert not applies_to(entry("fixed_bonus", points=1, partners=["grocer"]), FUELCO)


def shares(*told: tuple[str, str]) -> list[FundingShare]:
    return [FundingShare.model_validate({"party": party, "share": share}) for party, share in told]


def test_the_sender_of_the_purchase_funds_what_nobody_else_does() -> None:
    assert funding_of(None, GROCER) == ((GROCER, Fraction(1)),)
    assert funding_of(shares(("purchase_partner", "1")), GROCER) == ((GROCER, Fraction(1)),)


def test_funders_stand_in_the_order_of_the_file_and_a_party_named_twice_has_its_shares_added() -> None:
    told = shares(("dairyco", "0.25"), ("purchase_partner", "0.5"), ("grocer", "0.25"))
    assert funding_of(told, GROCER) == (("dairyco", Fraction(1, 4)), ("grocer", Fraction(3, 4)))
    assert funding_of(told, FUELCO) == (("dairyco", Fraction(1, 4)), ("fuelco", Fraction(1, 2)), ("grocer", Fraction(1, 4)))


def test_a_share_of_nothing_is_left_out() -> None:
    assert funding_of(shares(("dairyco", "0"), ("grocer", "1")), GROCER) == (("grocer", Fraction(1)),)


def test_a_rules_lots_say_sponsor_version_expiry_and_release() -> None:
    one = plan(
        BASE,
        mechanic("fixed_bonus", "own", points=1, pending_days=3, expiry={"kind": "rolling", "months": 1}, funding=shares_of("dairyco")),
        mechanic("fixed_bonus", "at-once", points=1, pending_days=0),
        pending_days=14,
        expiry={"kind": "rolling", "months": 24},
    )
    base, own, at_once = one.rules(GROCER, MARCH).all
    assert lots(base) == {GROCER: (GROCER, FIRST, day("2028-03-31"), MARCH, day("2026-03-16"))}
    assert lots(own) == {"dairyco": ("dairyco", FIRST, day("2026-04-30"), MARCH, day("2026-03-05"))}
    assert lots(at_once) == {GROCER: (GROCER, FIRST, day("2028-03-31"), MARCH, None)}


def shares_of(*parties: str) -> list[dict[str, str]]:
    return [{"party": party, "share": str(1 / len(parties))} for party in parties]


def test_a_sponsor_without_an_issuing_contract_has_no_lot_and_leaves_a_gap() -> None:
    one = plan(mechanic("fixed_bonus", "bonus", points=1, funding=shares_of("grocer", "opco")))
    rules = one.rules(GROCER, MARCH)
    assert set(rules.all[0].accruals) == {GROCER}
    assert rules.gaps
    assert not plan(BASE).rules(GROCER, MARCH).gaps
    assert plan(BASE).rules(GROCER, day("2025-12-31")).all == ()


def test_nobody_needs_a_contract_to_fund_a_discount_or_stamps() -> None:
    discount = mechanic("card_discount", "gold", percent="5", funding=shares_of("opco"))
    stamps = mechanic("stamp_card", "coffee", stamp_for="unit", rows=[10], gift="coffee", funding=shares_of("opco"))
    assert not plan(discount, stamps).rules(GROCER, MARCH).gaps


def test_the_rules_say_whether_groups_members_and_bases_matter() -> None:
    plain = plan(BASE, mechanic("fixed_bonus", "bonus", points=1)).rules(GROCER, MARCH)
    assert (plain.grouped, plain.personal, list(plain.bases)) == (False, False, ["base"])
    grouped = plan(BASE, mechanic("fixed_bonus", "bonus", points=1, group="one")).rules(GROCER, MARCH)
    assert (grouped.grouped, grouped.personal) == (True, False)
    personal = plan(BASE, mechanic("fixed_bonus", "bonus", points=1, for_={"kinds": ["business"]})).rules(GROCER, MARCH)
    assert (personal.grouped, personal.personal) == (False, True)
    assert [rule.personal for rule in personal.all] == [False, True]
    assert personal.bases[MechanicId("base")] is personal.all[0].mechanic


def test_limits_are_compiled_where_there_are_any() -> None:
    one = plan(BASE, mechanic("fixed_bonus", "bonus", points=90, limit={"points": 50, "per": "event"}))
    base, bonus = one.rules(GROCER, MARCH).all
    assert base.limits is None
    assert bonus.limits is not None
    assert bonus.limits.cut(90, {}, MARCH) == 50


def test_a_kind_that_is_not_booked_is_refused_when_the_plan_is_asked() -> None:
    with pytest.raises(UnsupportedMechanic):
        plan(mechanic("gift", "bag", gift="bag")).rules(GROCER, date(2026, 3, 2))


def test_everybody_has_a_contract_in_the_coalition_of_these_tests() -> None:
    assert {version["party"] for version in BOTH} == {"grocer", "fuelco", "baker", "dairyco"}
