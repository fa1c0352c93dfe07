"""What data brings along does nothing to the terminal: brackets are no markup, and control characters are shown, not obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for tabs and line breaks, what turns the direction of text, and halves of characters, which no encoding has."""


def visible(text: str) -> str:
    """The text with what is not to be obeyed, or cannot be written, as JSON escapes it; so JSON stays the same JSON."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


class DataConsole(Console):
    """A console on which text is text, whoever wrote it: no markup unless it is asked for, and nothing that steers a terminal."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As any console, but for what data brings along; what rich itself says to the terminal stays."""
        for segment in super().render(renderable, options):
            yield segment if segment.control or not _UNSAFE.search(segment.text) else Segment(visible(segment.text), segment.style)
