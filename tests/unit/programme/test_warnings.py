"""What lint warns of: each thing that is known to go wrong, with its line; and nothing, where it is well."""

import re
from pathlib import Path

import pytest

from services.documents.findings import Finding, Severity
from services.programme.advice import advise
from services.programme.lint import lint_programme
from services.programme.lint import lint_text as lint_all
from tests.unit.programme.harvest import EXAMPLES, TEXT, changed, line_of, programme


def lint_text(text: str, name: str) -> tuple[Finding, ...]:
    """Findings, but for the terms of the example that have no effect yet; these have a test of their own."""
    return tuple(finding for finding in lint_all(text, name) if finding.code != "no-effect-yet")


IDLE = {
    "programme.entry.kind": ("entry: {kind: open}", "entry: {kind: invitation}", "entry by invitation will be asked for"),
}


@pytest.mark.parametrize("field", IDLE)
def test_terms_that_do_nothing_yet_are_told_with_their_line_and_what_they_will_do(field: str) -> None:
    old, new, will = IDLE[field]
    text = changed(old, new)
    (finding,) = [finding for finding in lint_all(text, "harvest.yaml") if (finding.code, finding.field) == ("no-effect-yet", field)]
    assert (finding.line, finding.severity) == (line_of(text, new), Severity.WARNING)
    assert "has no effect yet" in finding.reason
    assert will in finding.reason


def test_a_partner_that_leaves_while_small_positions_wait_without_end_is_warned_of() -> None:
    ends = changed("  - party: dairyco\n    from: 2026-01-01\n", "  - party: dairyco\n    from: 2026-01-01\n    to: 2026-06-29\n")
    assert "waits-for-good" not in [finding.code for finding in lint_text(ends, "harvest.yaml")]
    (carry,) = [line for line in ends.splitlines(keepends=True) if "maximum_carry_days" in line]
    text = ends.replace(carry, "").replace('{EUR: "0.00"}', '{EUR: "1.00"}')
    (finding,) = [finding for finding in lint_text(text, "harvest.yaml") if finding.code == "waits-for-good"]
    assert (finding.line, finding.severity) == (line_of(text, "to: 2026-06-29"), Severity.WARNING)
    assert "dairyco leaves on 2026-06-29" in finding.reason


def test_a_limit_that_holds_no_points_back_is_warned_of() -> None:
    new = 'limit: {prefunded: "1.00", currency: EUR}\n    roles: [redeemer]  '
    (finding,) = lint_text(changed("roles: [redeemer]  ", new), "harvest.yaml")
    assert (finding.code, finding.severity) == ("limit-without-points", Severity.WARNING)


def test_a_country_without_known_holidays_is_warned_of_at_its_place() -> None:
    text = changed("holidays: [DE]", "holidays: [DE, GERMANY]")
    (finding,) = lint_text(text, "harvest.yaml")
    assert (finding.code, finding.field, finding.severity) == ("unknown-country", "programme.bank_calendar.holidays[1]", Severity.WARNING)


def mechanic(kind: str, *fields: str, name: str = "extra", partners: str = "[grocer]") -> tuple[str, str]:
    """A change that adds a mechanic at the end of the file."""
    lines = [
        f"  - id: {name}",
        f"    kind: {kind}",
        "    from: 2026-01-01",
        *([f"    partners: {partners}"] if partners else []),
        *(f"    {line}" for line in fields),
    ]
    end = TEXT[-120:]
    return end, end + "\n".join(lines) + "\n"


COFFEE = "rows: [10]"
LADDER = "measure: turnover"

# What is replaced, by what, a part of the line that is to be named, the code, a part of the reason.
WARNINGS: dict[str, tuple[tuple[str, str], str, str, str]] = {
    "a lasting discount of 20 %": (('percent: "3"', 'percent: "20"'), 'percent: "20"', "lasting-discount", "20 % off, and without an end"),
    "a discount of 20 % for 90 days": (
        mechanic("card_discount", 'percent: "20.0"', "to: 2026-04-01"),
        'percent: "20.0"',
        "lasting-discount",
        "for 91 days",
    ),
    "a ladder that ends in 25 %": (
        mechanic("cumulative_discount", LADDER, 'steps: [{from: "100.00", percent: "5"}, {from: "500.00", percent: "25"}]'),
        "steps: [",
        "lasting-discount",
        "25 % off",
    ),
    "points worth a fifth": (("    points: 1\n", "    points: 23\n"), "points: 23", "generous-points", "double-dairy"),
    "points worth more than is paid": (("    points: 1\n", "    points: 120\n"), "points: 120", "generous-points", ""),
    "points worth next to nothing": (('per: {amount: "1.00"', 'per: {amount: "10.00"'), "points: 1\n", "points-worth-little", "see no value"),
    "too many stamps": ((COFFEE, "rows: [21]"), "rows: [21]", "gift-out-of-reach", "21 stamps"),
    "more purchases than people make": (
        mechanic("stamp_card", "stamp_for: purchase", "rows: [9]", "gift: bread", "months: 1"),
        "rows: [9]",
        "gift-out-of-reach",
        "9 purchases in 1 months",
    ),
    "a limit below the gift": (
        mechanic("stamp_card", "stamp_for: purchase", "rows: [9]", "gift: bread", "limit: {times: 8, per: ever}"),
        "limit: {times: 8",
        "gift-out-of-reach",
        "at most 8",
    ),
    "a set that nobody completes": (
        mechanic("collect_set", f"items: [{', '.join(f'cap{n}' for n in range(25))}]", "prize: bicycle", "prizes_max: 10"),
        "items: [cap0",
        "gift-out-of-reach",
        "25 items",
    ),
    "points for kitchens": (
        ("when: {except: {categories: [tobacco, gift-cards]}}", "when: {categories: [home/kitchens]}"),
        "categories: [home/kitchens]",
        "rarely-bought",
        "home/kitchens",
    ),
    "a mechanic that nobody can follow": (
        ("when: {categories: [coffee]}", 'when: {categories: [coffee], weekdays: [mon], hours: ["10:00", "11:00"], channels: [store], stores: ["1"]}'),
        "id: coffee-card",
        "too-many-rules",
        "5 conditions",
    ),
    "a ladder whose top is soon full": (
        mechanic("cumulative_discount", "measure: units", 'steps: [{from: 10, percent: "3"}, {from: 20, percent: "5"}]'),
        "steps: [{from: 10",
        "ladder-soon-full",
        "only 2 times",
    ),
    "a stamp card for firms": (("when: {categories: [coffee]}\n", "for: {kinds: [business]}\n"), "kind: stamp_card", "unsuited-reward", "business"),
    "a rebate for consumers": (
        mechanic("volume_rebate", 'steps: [{from: "100.00", percent: "1"}]', "for: {kinds: [consumer]}"),
        "kind: volume_rebate",
        "unsuited-reward",
        "consumer",
    ),
    "two grocers in one region": (
        ("category: fuel", "category: grocery"),
        "category: grocery, regions: [DE]}\n  - {id: cafe",
        "competing-partners",
        "grocer and fuelco",
    ),
    "a sponsor whose contract ends": (
        ("    to: 2026-06-30", "    to: 2026-05-31"),
        'funding: [{party: purchase_partner, share: "1"}]',
        "sponsor-without-contract",
        "fuelco has no issuing contract from 2026-06-01 to 2026-06-30",
    ),
    "a sponsor that issues nothing": (
        ("    roles: [issuer]                                     #", "    roles: [] #"),
        "funding: [{party: dairyco",
        "sponsor-without-contract",
        "dairyco has no issuing contract from 2026-01-01 on",
    ),
    "a seller without a contract": (
        mechanic("card_discount", 'percent: "5"', 'funding: [{party: bank1, share: "1"}]', partners="[dairyco, opco]"),
        "partners: [dairyco, opco]",
        "seller-without-contract",
        "opco sells under extra but has no contract from 2026-01-01 on",
    ),
    "a redeemer without a price": (
        ('    redeem: {price: "0.0088", currency: EUR}\n', ""),
        "roles: [redeemer]",
        "redeemer-without-price",
        "cafe takes points without a price",
    ),
    "points that are bought back dearer": (
        ('redeem: {price: "0.0088"', 'redeem: {price: "0.0097"'),
        'redeem: {price: "0.0097"',
        "redeem-above-issue",
        "dairyco",
    ),
    "points that expire while they are pending": (("pending_days: 0", "pending_days: 800"), "id: base", "expires-while-pending", "pending for 800"),
    "points that expire in the night in which they come": (
        ("    points: 1\n", "    points: 1\n    pending_days: 1\n    expiry: {kind: fixed, month: 1, day: 1}\n"),
        "pending_days: 1\n",
        "expires-while-pending",
        "after 1 days",
    ),
    "a limit of money on points": (
        ("limit: {times: 1, per: day}", 'limit: {amount: "1.00", per: day}'),
        'amount: "1.00", per: day',
        "limit-without-effect",
        "gives points",
    ),
    "a limit of points on a discount": (
        ('limit: {amount: "30.00", per: month}', "limit: {points: 30, per: month}"),
        "points: 30, per: month",
        "limit-without-effect",
        "gives amount",
    ),
    "a budget of points on a discount": (
        ('limit: {amount: "30.00", per: month}', "budget: {points: 30, at_end: stop}"),
        "points: 30, at_end",
        "limit-without-effect",
        "gives amount",
    ),
    "days outside its dates": (("when: {categories: [coffee]}", "when: {days: [2025-12-24]}"), "days: [2025-12-24]", "never-applies", "coffee-card"),
    "days that are no such weekdays": (
        ("when: {categories: [coffee]}", "when: {days: [2026-12-24], weekdays: [sun]}"),
        "days: [2026-12-24]",
        "never-applies",
        "",
    ),
    "a tier that nobody reaches": (("for: {segments: [bank1-customers]}", "for: {tiers: [gold]}"), "tiers: [gold]", "never-applies", "tier gold"),
    "a multiplier with nothing to multiply": (
        ("    partners: [grocer]\n    factor", "    partners: [cafe]\n    factor"),
        "id: double-dairy",
        "never-applies",
        "",
    ),
    "services that only their provider funds": (
        mechanic("privilege", 'services: [{id: wash, provider: grocer, cost: "4.00"}]'),
        "{id: wash",
        "never-applies",
        "grocer renders wash and alone funds it",
    ),
    "a pass in a group": (
        mechanic(
            "pass",
            "visits: 2",
            'price: {amount: "9.00", currency: EUR}',
            "months: 1",
            'partners: [{party: grocer, per_visit: "4.00"}]',
            "group: best",
            partners="",
        ),
        "group: best",
        "not-booked-yet",
        "a pass in a group is not booked yet",
    ),
    "a kind that is not booked": (mechanic("gift", "gift: bag"), "kind: gift", "not-booked-yet", "gift is not booked yet"),
    "stamps cut off by a sum of money": (
        ("    when: {categories: [coffee]}", '    limit: {amount: "30.00", per: month, of: programme}\n    when: {categories: [coffee]}'),
        'amount: "30.00", per: month, of: programme',
        "not-booked-yet",
        "coffee-card gives stamps, and this counts money",
    ),
    "a budget of money that stops stamps": (
        ("    when: {categories: [coffee]}", '    budget: {amount: "30.00", at_end: stop}\n    when: {categories: [coffee]}'),
        'amount: "30.00", at_end',
        "not-booked-yet",
        "how many stamps that is cannot be said",
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_a_warning_names_line_code_and_reason(name: str) -> None:
    change, marker, code, reason = WARNINGS[name]
    text = changed(*change)

    findings = [finding for finding in lint_text(text, "harvest.yaml") if finding.code == code]

    assert line_of(text, marker) in [finding.line for finding in findings], "\n".join(map(str, lint_text(text, "harvest.yaml")))
    assert all(finding.severity is Severity.WARNING for finding in findings)
    assert any(reason in finding.reason for finding in findings), [finding.reason for finding in findings]
    assert all(finding.way_out for finding in findings)


def test_points_at_a_shop_where_people_buy_once_in_years_are_warned_of() -> None:
    text = changed("category: food", "category: furniture").replace("    when: {categories: [coffee]}\n", "")

    (finding,) = lint_text(text, "harvest.yaml")

    assert (finding.code, finding.line) == ("rarely-bought", line_of(text, "partners: [cafe]"))
    assert "furniture" in finding.reason


def test_mechanics_of_a_group_that_cannot_be_compared_are_warned_of() -> None:
    grouped = ("    kind: card_discount\n", "    kind: card_discount\n    group: extras\n")
    text = changed(*grouped).replace("    kind: points_on_spend\n", "    kind: points_on_spend\n    group: extras\n")

    (finding,) = lint_text(text, "harvest.yaml")

    assert (finding.code, finding.field) == ("group-mixes-units", "mechanics[3].group")
    assert "base gives points and bank-card-price gives amount" in finding.reason


def test_mechanics_of_a_group_that_never_meet_are_not_compared() -> None:
    text = changed("    kind: stamp_card\n", "    kind: stamp_card\n    group: extras\n").replace(
        "    kind: points_on_spend\n", "    kind: points_on_spend\n    group: extras\n"
    )

    assert lint_text(text, "harvest.yaml") == ()


def test_points_that_nobody_takes_are_warned_of() -> None:
    text = TEXT.replace("roles: [issuer, redeemer]", "roles: [issuer]").replace("roles: [redeemer]", "roles: []")

    assert [(finding.code, finding.line) for finding in lint_text(text, "harvest.yaml")] == [("nowhere-to-spend", line_of(text, "contracts:"))]


def test_a_least_redemption_that_limits_keep_out_of_reach_is_warned_of() -> None:
    limit = "    limit: {points: 10, per: ever}\n"
    file = programme(
        ("    kind: points_on_spend\n", "    kind: points_on_spend\n" + limit),
        ("    kind: multiplier\n", "    kind: multiplier\n" + limit),
        ("    limit: {times: 1, per: day}\n", limit),
    )

    (advice,) = [advice for advice in advise(file) if advice.code != "no-effect-yet"]

    assert (advice.code, advice.place) == ("gift-out-of-reach", ("programme", "minimum_redemption"))
    assert "at most 30 points" in advice.reason


def test_many_mechanics_at_one_partner_are_warned_of() -> None:
    text = TEXT + "".join(f"  - {{id: extra{number}, kind: fixed_bonus, from: 2026-01-01, partners: [grocer], points: 1}}\n" for number in range(8))

    (finding,) = lint_text(text, "harvest.yaml")

    assert (finding.code, finding.line) == ("too-many-rules", line_of(text, "id: extra7"))
    assert "11 mechanics apply at grocer" in finding.reason


@pytest.mark.parametrize(
    "change",
    [
        ('percent: "3"', 'percent: "19.99"'),
        ('percent: "3"\n', 'percent: "50"\n    when: {days: [2026-12-24]}\n'),
        ('percent: "3"\n', 'percent: "50"\n    to: 2026-02-28\n'),
        ("rows: [10]", "rows: [20]"),
        ("    to: 2026-06-30\n", ""),
        ("category: fuel, regions: [DE]", "category: grocery, regions: [CZ]"),
        ("expiry: {kind: rolling, months: 24}", "expiry: {kind: never}"),
        ("pending_days: 0", "pending_days: 300"),
    ],
)
def test_what_is_well_is_not_warned_of(change: tuple[str, str]) -> None:
    assert lint_text(changed(*change), "harvest.yaml") == ()


def test_a_club_of_one_trade_has_partners_of_one_category() -> None:
    text = re.sub(r"category: (fuel|food|dairy)", "category: grocery", TEXT)

    assert "competing-partners" not in {finding.code for finding in lint_text(text, "harvest.yaml")}


def test_an_anchor_needs_no_redeem_price() -> None:
    text = TEXT.replace("model: independent}", "model: anchor}").replace('    due_at_issue: "1"', "   ")
    text = re.sub(r"    redeem: \{.*\n", "", text)

    assert lint_text(text, "harvest.yaml") == ()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_have_neither_errors_nor_warnings_but_of_terms_without_effect_yet(path: Path) -> None:
    assert {(finding.code, finding.severity) for finding in lint_programme(path)} <= {("no-effect-yet", Severity.WARNING)}


def test_every_code_is_explained() -> None:
    repository = EXAMPLES.parent
    pages = (repository / "docs" / "errors.md").read_text(encoding="utf-8")
    given = re.compile(
        r'(?:Advice|Wording|Finding|_Problem|unusable|_problem|YamlTextError|_rarely)\((?:[^"()]|\([^()]*\))*?(?:f?"[^"]*", )*?"([a-z0-9]+(?:-[a-z0-9]+)+)"'
    )
    sources = [path for folder in ("documents", "programme", "scenario") for path in (repository / "services" / folder).rglob("*.py")]
    codes = {code for path in sources for code in given.findall(path.read_text(encoding="utf-8"))}

    assert len(codes) > 25
    assert {code for code in codes if f"`{code}`" not in pages} == set()
