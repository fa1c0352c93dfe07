"""Markdown: tables, anchors, text that stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MADE = "<!-- Made by `python -m services.docs` from the code: change it there. -->"


def plain(text: str) -> str:
    """A docstring or description as one line of Markdown."""
    return " ".join(text.replace("``", "`").split()).replace("|", "\\|").replace("<", "\\<")


def anchor(heading: str) -> str:
    """The link to a heading of the same page."""
    return "#" + re.sub(r"[^a-z0-9_-]", "", heading.lower().replace(" ", "-"))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown already."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def page(title: str, *parts: str) -> str:
    """A whole page."""
    return "\n\n".join([f"# {title}", MADE, *(part for part in parts if part)]) + "\n"
