"""Live figures as people see them."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

from rich.console import Console

from schemas.events.answers import RejectionCode
from schemas.events.insights import HourFigures, PartnerFigures, PartnerFiguresEvent, Turnover
from schemas.ids import PartyId
from services.cli.partner_tables import bar, bars, shown, view

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def figures(hours_ago: int, purchases: int, **more: object) -> HourFigures:
    nothing = {"returns": 0, "returned": (), "points": 0, "redemptions": 0, "points_redeemed": 0, "held": 0, "rejections": {}}
    turnover = (Turnover(amount_minor=100_000 * purchases, currency="EUR"), Turnover(amount_minor=5, currency="JPY"))
    return HourFigures.model_validate({"hour": AT - timedelta(hours=hours_ago), "purchases": purchases, "turnover": turnover, **nothing, **more})


def event(*hours: HourFigures) -> PartnerFiguresEvent:
    data = PartnerFigures(party=PartyId("grocer"), since=AT - timedelta(days=1), hours=hours)
    return PartnerFiguresEvent(id="f", source="/house/insights", time=AT, subject="grocer", data=data)


def printed(one: PartnerFiguresEvent, hours: int = 24, zone: str = "UTC", width: int = 160) -> str:
    console = Console(width=width, record=True, file=StringIO())
    console.print(view("harvest", one, hours, ZoneInfo(zone), AT + timedelta(seconds=3), width=width))
    return console.export_text()


def test_bars_are_as_high_as_their_share_and_nothing_is_invisible() -> None:
    assert bars([0, 1, 500, 1000]) == " ▁▄█"
    assert bars([]) == ""
    assert bars([0, 0]) == "  "
    assert (bar(0, 10), len(bar(1, 1000)), len(bar(5, 10)), len(bar(10, 10)), bar(0, 0)) == ("", 1, 6, 12, "")


def test_hours_are_counted_back_from_the_latest_that_has_figures() -> None:
    one = event(figures(30, 1), figures(23, 2), figures(5, 3), figures(0, 4))
    assert [each.purchases for each in shown(one, 24)] == [2, 3, 4]
    assert [each.purchases for each in shown(one, 1)] == [4]
    assert shown(event(), 24) == ()


def test_the_table_holds_every_hour_the_totals_and_the_rejections() -> None:
    text = printed(event(figures(3, 1, rejections={"totals-mismatch": 2, "too-old": 1}), figures(0, 2, points=1234)), zone="Europe/Berlin")
    assert "grocer in harvest, as of 2026-03-02 13:00:00 CET (3 s ago)" in text
    assert "10:00 ▄  █ 13:00" in text
    assert "02 Mar 10:00" in text
    assert "3,000.00" in text
    assert "EUR" in text
    assert "JPY" in text
    assert "1,234" in text
    assert "held" not in text, "nothing is"
    assert "rejected: totals-mismatch 2, too-old 1" in text


def test_no_figure_is_cut_on_a_narrow_terminal() -> None:
    one = figures(0, 765, returns=45, returned=(Turnover(amount_minor=345_678, currency="EUR"),), points=34_567, redemptions=23, points_redeemed=5_678, held=14)
    busy = one.model_copy(update={"turnover": (Turnover(amount_minor=12_345_678, currency="EUR"),), "rejections": {RejectionCode.TOO_OLD: 67}})
    text = printed(event(busy), width=80)
    assert "█████" not in text
    for figure in (" 765", " 123,456.78", " 45", " 3,456.78", " 34,567", " 23", " 5,678", " 14", " 67"):
        assert figure in text
    million = printed(event(busy.model_copy(update={"points": 10**12, "purchases": 10**9, "points_redeemed": 10**10})), width=80)
    assert "…" not in million, "folded, not cut"


def test_a_partner_without_events_is_told_so() -> None:
    assert "no events were received since 2026-03-01 12:00 UTC" in printed(event())
