"""What differs between two programme files."""

import pytest

from services.programme.diff import diff
from tests.unit.programme.harvest import TEXT, programme


def lines(*changes: tuple[str, str]) -> list[str]:
    return [str(each) for each in diff(programme(), programme(*changes))]


def test_a_file_does_not_differ_from_itself() -> None:
    assert lines() == []


def test_what_is_written_out_does_not_differ_from_what_is_left_out() -> None:
    assert lines(('    unused_points_share: "0"  ', "    # "), ("  pending_days: 0\n", "")) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("netting: multilateral", "netting: gross", "programme: netting: multilateral -> gross"),
        ("{kind: rolling, months: 24}", "{kind: rolling, months: 36}", "programme: expiry.months: 24 -> 36"),
        ("  maximum_carry_days: 90", "  # ", "programme: maximum_carry_days: 90 -> nothing"),
        ("name: Cafe", "name: Coffee House", "party cafe: name: Cafe -> Coffee House"),
        ('{price: "0.0110"', '{price: "0.0111"', "contract of fuelco from 2026-01-01: issue.price: 0.0110 -> 0.0111"),
        ("    to: 2026-06-30", "    to: 2026-06-29", "contract of fuelco from 2026-01-01: to: 2026-06-30 -> 2026-06-29"),
        ('percent: "3"', 'percent: "4"', "mechanic bank-card-price from 2026-01-01: percent: 3 -> 4"),
        ("rows: [10]", "rows: [5, 5]", "mechanic coffee-card from 2026-01-01: rows: [10] -> [5, 5]"),
    ],
)
def test_a_changed_field_is_named_with_its_part_and_both_values(old: str, new: str, expected: str) -> None:
    assert lines((old, new)) == [expected]


def test_parts_that_come_and_go_are_named() -> None:
    party = "  - {id: cafe, kind: merchant, name: Cafe, category: food, regions: [DE]}\n"
    contract = TEXT[TEXT.index("  - party: cafe") : TEXT.index("  - party: dairyco")]
    coffee = TEXT[TEXT.index("  - id: coffee-card") :]
    new = programme((party, ""), (contract, ""), (coffee, ""), ("    from: 2026-07-01", "    from: 2026-08-01"))

    assert [str(each) for each in diff(programme(), new)] == [
        "party cafe: removed",
        "contract of fuelco from 2026-07-01: removed",
        "contract of cafe from 2026-01-01: removed",
        "contract of fuelco from 2026-08-01: added",
        "mechanic coffee-card from 2026-01-01: removed",
    ]


def test_the_order_of_mechanics_is_a_difference() -> None:
    begin, middle = TEXT.index("  - id: full-tank"), TEXT.index("  - id: bank-card-price")
    end = TEXT.index("  - id: coffee-card")
    new = programme((TEXT[begin:end], TEXT[middle:end] + TEXT[begin:middle]))

    assert [str(each) for each in diff(programme(), new)] == [
        "mechanic bank-card-price from 2026-01-01: moved",
        "mechanic full-tank from 2026-01-01: moved",
    ]
