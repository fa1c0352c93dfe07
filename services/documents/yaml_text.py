"""YAML text to plain values: mappings, lists, text, whole numbers, truth values, nothing.

The parser's events are composed here, since two things must hold that no loader of ruamel.yaml gives together: scalars of YAML 1.2 on
libyaml's parser, and a file that is refused when a key stands twice, when it nests too deep, or when aliases blow it up. Keys are always text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, DocumentStartEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent
from ruamel.yaml.reader import ReaderError

from services.documents.json_events import is_json_object, json_events
from services.documents.scalars import Scalar, resolve

DEPTH_MAX = 40
ALIASED_NODES_MAX = 2_000_000
"""How many nodes aliases may stand for in all."""

_LINE_BREAKS_OF_1_1 = ("\x85", "\u2028", "\u2029")
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_OTHER_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class YamlTextError(Exception):
    """Text that is no usable YAML. Line and column count from 1."""

    def __init__(self, code: str, reason: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.code = code
        self.reason = reason
        self.line = line
        self.column = column


@dataclass(slots=True)
class Spots:
    """Where the parts of one mapping or list stand: (line, column) from 0, of each key (or item) and of each value."""

    start: tuple[int, int]
    keys: dict[str | int, tuple[int, int]] = field(default_factory=dict)
    values: dict[str | int, tuple[int, int]] = field(default_factory=dict)


Marks = dict[int, Spots]
"""The spots of every mapping and list, by the `id()` of the composed object."""


def read_yaml(text: str) -> Any:
    """The values of a YAML document. Raises YamlTextError."""
    value, _ = _read(text, marked=False)
    return value


def read_yaml_with_marks(text: str) -> tuple[Any, Marks]:
    """The values, and where each of them stands; takes more time and memory than `read_yaml`. Raises YamlTextError."""
    return _read(text, marked=True)


def _read(text: str, *, marked: bool) -> tuple[Any, Marks]:
    """libyaml's parser is tried first, twenty times as fast; what it refuses is parsed again by the pure one, which knows YAML 1.2 better and
    words its refusal better. JSON that it refuses is read as JSON."""
    if not any(mark in text for mark in _LINE_BREAKS_OF_1_1):
        marks: Marks = {}
        try:
            return _Composer(marks if marked else None).compose(YAML(typ="safe").parse(text)), marks
        except (YAMLError, YamlTextError, ValueError):
            pass  # the pure parser decides
    marks = {}
    try:
        return _pure(text, marks if marked else None), marks
    except YamlTextError as refused:
        if refused.code != "not-yaml" or not is_json_object(text):
            raise
    marks = {}
    return _Composer(marks if marked else None).compose(json_events(text)), marks


def _pure(text: str, marks: Marks | None) -> Any:
    try:
        return _Composer(marks).compose(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        raise YamlTextError("not-yaml", f"not YAML: {_wording(error)}", line, column) from None
    except ReaderError as error:
        before = text[: error.position]
        code_point = ord(error.character) if isinstance(error.character, str) else int(error.character)
        reason = f"the character U+{code_point:04X} may not stand in YAML"
        raise YamlTextError("not-yaml", reason, before.count("\n") + 1, error.position - before.rfind("\n")) from None
    except (YAMLError, ValueError) as error:
        raise YamlTextError("not-yaml", f"not YAML: {error}", 1, 1) from None


def _wording(error: MarkedYAMLError) -> str:
    began = error.context_mark.line + 1 if error.context and error.context_mark is not None else None
    context = f"{error.context} that begins in line {began}" if began is not None else error.context
    return ", ".join(part for part in (context, error.problem) if part)


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    nodes_before: int
    key: str | None = None


class _Composer:
    """Fills mappings and lists from a parser's events."""

    def __init__(self, marks: Marks | None) -> None:
        self._marks = marks
        self._open: list[_Open] = []
        self._root: list[Any] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._aliased = 0

    def compose(self, events: Iterator[Any]) -> Any:
        documents = 0
        for event in events:
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent:
                self._start({}, event)
            elif kind is SequenceStartEvent:
                self._start([], event)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._end()
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise _problem(event, "not-yaml", "a second document begins; a file holds one")
        if not self._root:
            raise YamlTextError("not-yaml", "the file is empty", 1, 1)
        return self._root[0]

    def _scalar(self, event: Any) -> None:
        self._nodes += 1
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.key is None and isinstance(parent.value, dict):
            self._key(parent, parent.value, event)
            return
        plain = not event.style
        tag = None if event.tag is None else str(event.tag)
        if tag is not None and tag not in _TEXT_TAGS:
            raise _problem(event, "not-yaml", f"the tag {tag} means nothing here")
        value: Scalar = resolve(event.value) if plain and tag is None else _text(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._put(value, event)

    def _key(self, parent: _Open, mapping: dict[str, Any], event: Any) -> None:
        key = _text(event)
        if key in mapping:
            raise _problem(event, "duplicate-key", f"the key {key} stands twice in the same mapping")
        parent.key = key
        if event.anchor is not None:
            self._anchors[event.anchor] = (key, 1)
        if self._marks is not None:
            self._marks[id(mapping)].keys[key] = _spot(event)

    def _start(self, value: dict[str, Any] | list[Any], event: Any) -> None:
        tag = None if event.tag is None else str(event.tag)
        if tag is not None and tag not in (*_OTHER_TAGS, "!"):
            raise _problem(event, "not-yaml", f"the tag {tag} means nothing here")
        self._put(value, event)
        if self._marks is not None:
            self._marks[id(value)] = Spots(_spot(event))
        self._open.append(_Open(value, event.anchor, self._nodes))
        self._nodes += 1
        if len(self._open) > DEPTH_MAX:
            raise _problem(event, "too-deep", f"more than {DEPTH_MAX} levels of nesting")

    def _end(self) -> None:
        closed = self._open.pop()
        if closed.anchor is not None:
            self._anchors[closed.anchor] = (closed.value, self._nodes - closed.nodes_before)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise _problem(event, "not-yaml", f"the alias *{event.anchor} names no anchor that ended before it")
        value, nodes = self._anchors[event.anchor]
        self._aliased += nodes
        self._nodes += nodes
        if self._aliased > ALIASED_NODES_MAX:
            raise _problem(event, "too-large", f"aliases stand for more than {ALIASED_NODES_MAX:,} values")
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.key is None and isinstance(parent.value, dict):
            raise _problem(event, "not-yaml", "an alias cannot be a key")
        self._put(value, event)

    def _put(self, value: Any, event: Any) -> None:
        if not self._open:
            self._root.append(value)
            return
        parent = self._open[-1]
        at: str | int
        if isinstance(parent.value, list):
            at = len(parent.value)
            parent.value.append(value)
        elif parent.key is None:
            raise _problem(event, "not-yaml", "a key is text, not a mapping or a list")
        else:
            at = parent.key
            parent.value[at] = value
            parent.key = None
        if self._marks is not None:
            self._marks[id(parent.value)].values[at] = _spot(event)


def _text(event: Any) -> str:
    """The text of a scalar; characters that were written as two escapes, as JSON does, become one. Raises YamlTextError."""
    value: str = event.value
    if value.isascii() and "\0" not in value:
        return value
    try:
        value = value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise _problem(event, "not-yaml", "an escape stands for half a character") from None
    if "\0" in value:
        raise _problem(event, "not-yaml", "the zero character may not stand in text")
    return value


def _spot(event: Any) -> tuple[int, int]:
    return event.start_mark.line, event.start_mark.column


def _problem(event: Any, code: str, reason: str) -> YamlTextError:
    line, column = _spot(event)
    return YamlTextError(code, reason, line + 1, column + 1)
