"""The page: complete, self-contained, with nothing in it that could run, and told in words where it draws."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from schemas.ids import PartyId
from services.report.approvals import Approval
from services.report.charts import Bar, Series, columns, diverging, on_pages, ranked, tells
from services.report.page import report_page, statement_page
from services.report.tables import Money, for_page
from tests.unit.services.report.sample import ALONE, SECOND, SHOWN, report

PAGE = report_page(SHOWN)
VOID = {"meta", "link", "img", "br", "hr", "input", "rect", "line"}


class Structure(HTMLParser):
    """Tags in order, whether they close, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of one kind."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("page", [PAGE, report_page(ALONE), statement_page(SHOWN, PartyId("fuelco"))])
def test_the_page_needs_nothing_from_outside_and_runs_nothing(page: str) -> None:
    found = Structure(page)
    assert found.open == []
    names = {name for name, _ in found.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "form"}
    assert not re.search(r"https?://|@import|\son\w+=", page)
    policies = [meta["content"] for meta in found.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


@pytest.mark.parametrize("page", [PAGE, statement_page(SHOWN, PartyId("opco"))])
def test_a_screen_reader_finds_language_headings_captions_and_what_charts_show(page: str) -> None:
    found = Structure(page)
    assert found.of("html") == [{"lang": "en"}]
    assert len(found.of("h1")) == 1
    assert len(found.of("caption")) == len(found.of("table")) > 3
    assert all(header.get("scope") in ("col", "row") for header in found.of("th"))
    charts = [svg for svg in found.of("svg") if svg.get("aria-hidden") != "true"]
    assert charts
    ids = [attributes["id"] for _, attributes in found.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for svg in charts:
        assert svg["role"] == "img"
        assert all(label in ids for label in str(svg["aria-labelledby"]).split())
    anchors = {str(link["href"]) for link in found.of("a")}
    assert anchors <= {f"#{each}" for each in ids}


def test_all_parts_and_their_figures_are_on_the_page() -> None:
    text = " ".join(Structure(PAGE).texts)
    for words in ("Net positions", "Who owes whom", "Obligations", "Payments", "Checks", "Rejected events", "Points by sponsor", "The nights before"):
        assert words in text
    for value in ("1,334.23", "\N{MINUS SIGN}1,334.18", "12,345,600", "0.0110", "insufficient-points", "debited 5, credited 5"):
        assert value in text
    assert SECOND.sha256() in text
    assert ALONE.sha256 in text
    assert "The nights before" not in " ".join(Structure(report_page(ALONE)).texts)


NAMED = replace(SHOWN, names={PartyId("grocer"): "Grocer & Sons", PartyId("cafe"): "Corner Cafe"})


def test_names_of_parties_stand_beside_their_ids() -> None:
    page = report_page(NAMED)
    assert 'grocer <span class="name">Grocer &amp; Sons</span></th>' in page
    assert "<td>opco</td>" in page
    assert "Statement of grocer (Grocer &amp; Sons), harvest" in statement_page(NAMED, PartyId("grocer"))


def test_a_name_that_only_repeats_the_id_is_left_out() -> None:
    named = replace(SHOWN, names={PartyId("grocer"): "Grocer"})
    assert 'class="name"' not in report_page(named)
    assert "Statement of grocer, harvest" in statement_page(named, PartyId("grocer"))


def test_a_party_of_the_programme_without_figures_gets_a_page_that_says_so() -> None:
    page = statement_page(NAMED, PartyId("cafe"))
    assert "<dd>no figures</dd>" in page
    assert "Lines: No lines in this window." in page


def test_a_heading_is_not_repeated_above_its_table() -> None:
    assert '<span class="unseen">Net positions</span>' in PAGE
    assert '<span class="unseen">Obligations by kind</span>' not in PAGE


def test_nothing_is_drawn_where_all_bars_are_equal() -> None:
    same = report(rejections=[{"source": "grocer", "code": code, "events": 2} for code in ("malformed", "too-old")])
    assert "Rejected events by code" not in report_page(SHOWN.__class__(same, same.sha256()))
    assert "Rejected events by code" in PAGE
    assert not tells([5, 5])
    assert tells([5, 6])


def test_lines_have_the_numbers_by_which_they_are_explained() -> None:
    assert '<td class="figure">3</td>\n<th scope="row">points issued</th>' in PAGE


def test_a_check_that_does_not_hold_stands_at_the_top() -> None:
    broken = report(checks=[{"name": "recomputed_equal", "ok": False, "figures": {"differ": 1}}])
    page = report_page(SHOWN.__class__(broken, broken.sha256()))
    assert page.index("Checks that do not hold:") < page.index("<main")
    assert "All 2 checks hold." in PAGE


def test_what_stands_in_a_report_is_text_and_never_markup() -> None:
    nasty = report(checks=[{"name": "<script>alert(1)</script>", "ok": True, "figures": {'"><svg onload=x>': "<b>"}}])
    page = report_page(SHOWN.__class__(nasty, nasty.sha256()))
    assert "<script>" not in page
    assert "<svg onload" not in page
    assert "&lt;script&gt;" in page


def test_amounts_on_the_page_have_a_minus_that_is_read_aloud() -> None:
    assert for_page(Money(-54, 2)) == "\N{MINUS SIGN}0.54"
    assert for_page(-3) == "\N{MINUS SIGN}3"
    assert for_page("-text") == "-text"


def test_bars_are_as_long_as_what_they_stand_for_and_differ_without_colour() -> None:
    chart = diverging("c", "Positions <b>", [Bar("opco", 100, "1.00"), Bar("gr&cer", -50, "-0.50"), Bar("zero", 0, "0.00"), Bar("tiny", 1, "0.01")])
    widths = [int(width) for width in re.findall(r'<rect x="\d+" y="\d+" width="(\d+)"', chart.svg)]
    assert widths[0] == 2 * widths[1]
    assert widths[2:] == [0, max(1, widths[0] // 100)]
    assert 'class="solid"' in chart.svg
    assert 'class="hatched" fill="url(#hatch)"' in chart.svg
    assert "<b>" not in chart.svg
    assert "opco 1.00; gr&amp;cer -0.50; zero 0.00; tiny 0.01" in chart.svg


def test_columns_tell_every_figure_and_keep_within_the_drawing() -> None:
    nights = [f"{day:02} Mar" for day in range(1, 15)]
    shown = [f"{day * 1000:,}" for day in range(1, 15)]
    chart = columns("n", "Nights", nights, [Series("issued", range(1000, 15000, 1000), shown), Series("redeemed", [-500] * 14, ["-500"] * 14)])
    assert "14 Mar: issued 14,000, redeemed -500" in chart.svg
    assert "issued, 14 Mar: 14,000" in chart.svg
    height = int(re.findall(r'viewBox="0 0 \d+ (\d+)"', chart.svg)[0])
    for y, tall in re.findall(r'<rect x="\d+" y="(\d+)" width="\d+" height="(\d+)"', chart.svg):
        assert 0 <= int(y) <= int(y) + int(tall) <= height
    assert columns("e", "Empty", ["01 Mar"], [Series("issued", [0], ["0"])]).svg.count("<rect") == 1


def test_counts_are_ranked_from_the_left() -> None:
    chart = ranked("r", "Rejected", [Bar("a-very-long-code-that-does-not-fit", 4, "4"), Bar("too-old", 1, "1")])
    assert "a-very-long-code-that-…" in chart.svg
    assert "a-very-long-code-that-does-not-fit 4; too-old 1" in chart.svg
    assert ranked("r", "None", []).svg.count("<rect") == 0


def test_printed_pages_bear_number_hash_and_approval_and_no_name_ends_the_style() -> None:
    style = PAGE[PAGE.index("@page") : PAGE.index("</style>")]
    assert f'content: "SHA-256 {SECOND.sha256()}\\a Approval: not approved yet"' in style
    assert 'content: "page " counter(page) " of " counter(pages)' in style
    nasty = Approval('"}</style><b>x', "submit", datetime(2026, 3, 4, 8, 1, tzinfo=UTC))
    page = report_page(replace(SHOWN, approvals=(nasty,)))
    assert page.count("</style>") == 1
    assert "<b>x" not in page
    assert Structure(page).open == []
    assert "Approval: not approved yet: submitted by &#34;}&lt;/style&gt;&lt;b&gt;x, 2026-03-04 08:01 UTC</p>" in page


def test_many_parties_are_drawn_in_parts_of_one_scale() -> None:
    charts = on_pages("c", "Positions", [Bar(f"p{no}", 100 if no == 0 else 50, "x") for no in range(30)])
    assert [chart.title for chart in charts] == ["Positions (1 of 2)", "Positions (2 of 2)"]
    widths = [[int(width) for width in re.findall(r'<rect x="\d+" y="\d+" width="(\d+)"', chart.svg)] for chart in charts]
    assert len(widths[0] + widths[1]) == 30
    assert set(widths[1]) == {widths[0][0] // 2}
    assert on_pages("c", "Positions", []) == [diverging("c", "Positions", [])]
