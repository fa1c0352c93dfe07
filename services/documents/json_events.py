"""JSON as the events of a YAML parser, so that it is composed, judged and marked as YAML is.

JSON is YAML 1.2, but parsers of YAML refuse some of it: keys of more than 1,024 characters on one line, as YAML needs them to tell a key from a
value without a bracket, and characters such as U+007F in text.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from ruamel.yaml.events import DocumentStartEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

_TOKEN = re.compile(r'[ \t\r\n]*([{}\[\],:]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}\[\],:"]+)')
_BRACKETS = {"{": MappingStartEvent, "[": SequenceStartEvent, "}": MappingEndEvent, "]": SequenceEndEvent}


class Mark(NamedTuple):
    """A place in the text, from 0."""

    line: int
    column: int


def is_json_object(text: str) -> bool:
    """Whether the text is an object in JSON, whole and right."""
    if not text.lstrip(" \t\r\n").startswith("{"):
        return False
    try:
        json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return False
    return True


def json_events(text: str) -> Iterator[Any]:
    """Events for a text that is JSON; `is_json_object` says whether it is."""
    breaks = [place for place, character in enumerate(text) if character == "\n"]
    yield DocumentStartEvent(Mark(0, 0), Mark(0, 0))
    for token in _TOKEN.finditer(text):
        word, at = token.group(1), token.start(1)
        line = bisect_right(breaks, at)
        mark = Mark(line, at - (breaks[line - 1] + 1 if line else 0))
        if word in _BRACKETS:
            started = word in "{["
            yield _BRACKETS[word](None, None, True, mark, mark) if started else _BRACKETS[word](mark, mark)
        elif word[0] == '"':
            yield ScalarEvent(None, None, (False, True), json.loads(word, strict=False), mark, mark, style='"')
        elif word not in ",:":
            yield ScalarEvent(None, None, (True, False), word, mark, mark)


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
