"""The example programme, to be broken at will."""

from pathlib import Path

from schemas.programme import ProgrammeFile
from services.programme.read import parse_programme

EXAMPLES = Path(__file__).parents[3] / "examples"
TEXT = (EXAMPLES / "harvest.yaml").read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    """The example with the first `old` replaced; a test whose `old` is not there is wrong."""
    assert old in TEXT, old
    return TEXT.replace(old, new, 1)


def programme(*changes: tuple[str, str]) -> ProgrammeFile:
    """The example with some changes, read."""
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return parse_programme(text, "harvest.yaml")


def line_of(text: str, part: str) -> int:
    """The line, from 1, in which a part of the text stands."""
    return text[: text.index(part)].count("\n") + 1
