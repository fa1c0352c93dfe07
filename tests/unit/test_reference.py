"""docs/reference is what the code says, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.docs.codes import MEANINGS
from services.docs.pages import pages
from services.docs.text import anchor

DOCS = Path(__file__).parents[2] / "docs"
MADE = pages()
LINK = re.compile(r"\]\(([^)#:\s]*)(#[^)\s]+)?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (DOCS / "reference" / name).read_text(encoding="utf-8") == MADE[name], "run: python -m services.docs"


@pytest.mark.parametrize("page", sorted((DOCS / "reference").glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for file, place in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / file if file else page
        assert target.exists(), file
        headings = {anchor(heading) for heading in HEADING.findall(target.read_text(encoding="utf-8"))}
        assert not place or place in headings, f"{file}{place}"


def test_every_code_has_a_meaning_of_its_own() -> None:
    assert len(set(MEANINGS.values())) == len(MEANINGS)
