"""A report as one HTML page that needs nothing else: no network, no scripts; style and charts are in it."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.ids import PartyId
from services.report.paper import PARTIES, Paper, report_paper, statement_paper
from services.report.stored import Shown
from services.report.tables import Rank, for_page


def report_page(shown: Shown) -> str:
    """The settlement report."""
    return _rendered(report_paper(shown))


def statement_page(shown: Shown, party: PartyId) -> str:
    """The statement of one party."""
    return _rendered(statement_paper(shown, party))


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("services.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = for_page
    environment.filters["css"] = _css
    environment.globals["parties"] = PARTIES
    environment.globals["ranks"] = {Rank.LINE: "line", Rank.SUBTOTAL: "subtotal", Rank.TOTAL: "total"}
    return environment


def _css(words: str) -> str:
    """The inside of a CSS string: whatever is no plain letter, digit or space as its number, so that nothing ends the string or the style."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter == " ") else f"\\{ord(letter):06x}" for letter in words)


def _rendered(paper: Paper) -> str:
    return _environment().get_template("report.html").render(paper=paper)
