"""From gross to net: every step by hand, for each way of netting, and the drawing of it."""

import re

import pytest

from schemas.ids import PartyId
from schemas.report import SettlementReport
from services.report.charts import Step, standalone, waterfall
from services.report.pictures import settling_charts, waterfall_charts
from services.report.statement import balances
from services.report.stored import Shown
from services.report.tables import Rank, for_people
from services.report.waterfall import Fall, falls, waterfall_table
from services.report.words import Amounts
from tests.unit.services.report.sample import FIRST, SECOND, SHOWN, line, pairs, positions, report

MUTUAL = [line("issue", "a", "b", 100), line("redemption", "b", "a", 70), line("issue", "b", "c", 50)]


def netted(netting: str, payments: list[tuple[str, str, int]]) -> SettlementReport:
    """Three parties that owe each other 220 in all; b is the operator."""
    paid = [{"currency": "EUR", "from": payer, "to": payee, "amount_minor": minor} for payer, payee, minor in payments]
    return report(
        netting=netting, operator="b", obligations=MUTUAL, positions=positions(MUTUAL), matrix=pairs(MUTUAL), payments=paid, carried=[], previous_sha256=None
    )


@pytest.mark.parametrize(
    ("netting", "payments", "net"),
    [
        ("multilateral", [("a", "b", 30), ("b", "c", 50)], 80),
        ("bilateral", [("a", "b", 30), ("b", "c", 50)], 80),
        ("gross", [("a", "b", 100), ("b", "a", 70), ("b", "c", 50)], 220),
    ],
)
def test_what_is_netted_away_is_what_no_payment_moves(netting: str, payments: list[tuple[str, str, int]], net: int) -> None:
    (fall,) = falls(netted(netting, payments))
    assert fall == Fall("EUR", owed=220, due=220, net=net, waits=0, paid=net)
    assert (fall.netted, fall.earlier) == (220 - net, 0)


def test_what_waits_and_what_earlier_windows_bring_stand_between_net_and_paid() -> None:
    assert falls(FIRST) == (Fall("EUR", owed=6, due=6, net=6, waits=6, paid=0),)
    euro, yen = falls(SECOND)
    assert euro == Fall("EUR", owed=133507, due=133507, net=133423, waits=5, paid=133418)
    assert (euro.netted, euro.earlier) == (84, 0)
    assert yen == Fall("JPY", owed=300, due=300, net=300, waits=0, paid=300)
    later = report(carried=[], payments=[*_as_written(SECOND), {"currency": "EUR", "from": "fuelco", "to": "opco", "amount_minor": 11}])
    assert (falls(later)[0].waits, falls(later)[0].earlier) == (0, 6)


def _as_written(of: SettlementReport) -> list[dict[str, object]]:
    return [payment.model_dump(by_alias=True) for payment in of.payments]


def test_the_column_adds_up_from_gross_due_to_paid() -> None:
    table = waterfall_table(SECOND, Amounts(SECOND))
    shown = [(row.cells[0], for_people(row.cells[1])) for row in table.rows if row.cells[2] == "EUR"]
    assert [amount for _, amount in shown] == ["1,335.07", "1,335.07", "-0.84", "1,334.23", "-0.05", "0.00", "1,334.18"]
    assert [row.rank for row in table.rows[:7]] == [Rank.LINE, Rank.LINE, Rank.LINE, Rank.SUBTOTAL, Rank.LINE, Rank.LINE, Rank.TOTAL]
    assert waterfall_table(report(positions=[], payments=[]), Amounts(SECOND)).rows == ()


def test_the_drawing_tells_every_step_and_leaves_out_those_at_which_nothing_changes() -> None:
    (chart,) = waterfall_charts(SECOND, Amounts(SECOND))
    minus = "\N{MINUS SIGN}"
    assert chart.told == f"gross owed 1,335.07; gross due 1,335.07; netted away {minus}0.84; waits {minus}0.05; paid 1,334.18"
    assert "from windows before" not in chart.svg


def test_a_party_sees_its_own_way_from_what_it_receives_to_what_it_pays() -> None:
    (chart,) = settling_charts(balances(SHOWN, PartyId("grocer")), Amounts(SECOND))
    minus = "\N{MINUS SIGN}"
    assert chart.told == f"you receive 0.42; you owe {minus}1,334.60; paid by you {minus}1,334.18"
    second = Shown(SECOND, SECOND.sha256(), (FIRST,))
    (waiting,) = (chart for chart in settling_charts(balances(second, PartyId("fuelco")), Amounts(SECOND)) if "EUR" in chart.title)
    assert waiting.told == f"you receive 0.00; you owe {minus}0.05; carried in {minus}0.06; carried on {minus}0.11; paid to you 0.00"


def test_each_bar_begins_where_the_one_above_ends_and_differs_without_colour() -> None:
    steps = [Step("all <", 0, 100, "100", total=True), Step("less", 100, 40, "-60"), Step("more", 40, 60, "20"), Step("end", 0, 60, "60", total=True)]
    chart = waterfall("w", "Title", steps)
    bars = [(int(x), int(width), look) for x, width, look in re.findall(r'<rect x="(\d+)" y="\d+" width="(\d+)" height="\d+" class="(\w+)"', chart.svg)]
    zero = bars[0][0]
    unit = bars[0][1] / 100
    assert [look for _, _, look in bars] == ["solid", "hatched", "outlined", "solid"]
    assert [(round((x - zero) / unit), round(width / unit)) for x, width, _ in bars] == [(0, 100), (40, 60), (40, 20), (0, 60)]
    assert "all &lt;" in chart.svg


def test_bars_below_zero_stay_within_the_drawing() -> None:
    chart = waterfall("w", "Title", [Step("gets", 0, 5, "5", total=True), Step("owes", 5, -100, "-105"), Step("pays", 0, -100, "-100", total=True)])
    for x, width in re.findall(r'<rect x="(\d+)" y="\d+" width="(\d+)"', chart.svg):
        assert 160 <= int(x) <= int(x) + int(width) <= 760


def test_a_drawing_by_itself_has_its_style_and_its_pattern_and_is_still_the_same_drawing() -> None:
    (chart,) = waterfall_charts(SECOND, Amounts(SECOND))
    alone = standalone(chart, "Some Font")
    assert alone.startswith('<svg xmlns="http://www.w3.org/2000/svg" ')
    assert alone.count('<pattern id="hatch"') == 1
    assert "font:12px 'Some Font'" in alone
    assert alone.endswith(str(chart.svg).split("</desc>")[1])
