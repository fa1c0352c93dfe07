"""YAML 1.2 as it is read: on both parsers, with the same values."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from services.documents import yaml_text
from services.documents.places import field_path, locate
from services.documents.yaml_text import YamlTextError, read_yaml, read_yaml_with_marks

PLAIN: list[tuple[str, Any]] = [
    ("on", "on"),
    ("off", "off"),
    ("yes", "yes"),
    ("no", "no"),
    ("NO", "NO"),
    ("y", "y"),
    ("true", True),
    ("False", False),
    ("tRUE", "tRUE"),
    ("null", None),
    ("~", None),
    ("", None),
    ("Nil", "Nil"),
    ("12", 12),
    ("-12", -12),
    ("+12", 12),
    ("0012", 12),
    ("0o17", 15),
    ("017", 17),
    ("0x1F", 31),
    ("1_000", "1_000"),
    ("02:00", "02:00"),
    ("190:20:30", "190:20:30"),
    ("2026-03-02", "2026-03-02"),
    ("2026-03-02T10:00:00+01:00", "2026-03-02T10:00:00+01:00"),
    ("0.0100", 0.01),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("1.", 1.0),
    (".inf", math.inf),
    ("-.inf", -math.inf),
    ("1.2.3", "1.2.3"),
    ("-", "-"),
    ("<<", "<<"),
    ("5411", 5411),
]


@pytest.mark.parametrize(("text", "value"), [(text, value) for text, value in PLAIN if text != "-"])
def test_a_plain_scalar_is_read_by_yaml_1_2(text: str, value: Any) -> None:
    read = read_yaml(f"a: {text}\n")

    assert read == {"a": value}
    assert type(read["a"]) is type(value)


@pytest.mark.parametrize("text", [text for text, _ in PLAIN])
def test_a_scalar_in_quotes_is_text(text: str) -> None:
    assert read_yaml(f"a: \"{text}\"\nb: '{text}'\n") == {"a": text, "b": text}


def test_keys_are_always_text() -> None:
    text = "2026-03-02: {1: a, on: b, null: c, 0.5: d}\n"

    assert read_yaml(text) == {"2026-03-02": {"1": "a", "on": "b", "null": "c", "0.5": "d"}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {time: 2026-03-02T10:00:00+01:00}", {"a": {"time": "2026-03-02T10:00:00+01:00"}}),
        ("a: [par:V001, b]", {"a": ["par:V001", "b"]}),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
        ("a: &x [1, 2]\nb: *x\n", {"a": [1, 2], "b": [1, 2]}),
        ("a: &x one\nb: *x\n", {"a": "one", "b": "one"}),
        ("a: !!str 1\n", {"a": "1"}),
        ("%YAML 1.2\n---\na: 1\n", {"a": 1}),
        ("a: 1\n...\n", {"a": 1}),
        ('{"a": [1, "b", true, null]}', {"a": [1, "b", True, None]}),
        ("a: # nothing\nb: 1\n", {"a": None, "b": 1}),
    ],
)
def test_other_forms(text: str, value: Any) -> None:
    assert read_yaml(text) == value


def test_what_the_fast_parser_does_not_know_the_pure_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    class Recorder(YAML):
        def __init__(self, *, typ: str, pure: bool = False) -> None:
            asked.append(pure)
            super().__init__(typ=typ, pure=pure)

    monkeypatch.setattr(yaml_text, "YAML", Recorder)

    assert read_yaml("a: [b:c]") == {"a": ["b:c"]}
    assert asked == [False, True]
    asked.clear()
    assert read_yaml("a: [b, c]") == {"a": ["b", "c"]}
    assert asked == [False]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1),
        ("a: {x: 1, x: 2}\n", "duplicate-key", 1, 11),
        ("? [a]\n: 1\n", "not-yaml", 1, 3),
        ("a: &x [*x]\n", "not-yaml", 1, 8),
        ("a: [\n", "not-yaml", 2, 1),
        ("", "not-yaml", 1, 1),
        ("# only a comment\n", "not-yaml", 1, 1),
        ("a: !money 5\n", "not-yaml", 1, 4),
        ("a: !money {}\n", "not-yaml", 1, 4),
        ("x: &k a\n*k : 1\n", "not-yaml", 2, 1),
        ("a: 1\n--- \nb: 2\n", "not-yaml", 2, 1),
        ('a: "\\0"', "not-yaml", 1, 4),
        ('a: 1\n"\\ud800": 2', "not-yaml", 2, 1),
        ("a: " + "[" * 41, "too-deep", 1, 43),
    ],
)
def test_refused_with_line_and_column(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(YamlTextError) as refused:
        read_yaml(text)

    assert (refused.value.code, refused.value.line, refused.value.column) == (code, line, column)


def test_aliases_of_aliases_are_refused_before_they_cost_anything() -> None:
    lines = ["a0: &a0 [" + "1," * 10 + "]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]

    with pytest.raises(YamlTextError, match="aliases stand for more than"):
        read_yaml("\n".join(lines))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
@example({"k" * 1030: 1})
@example([{"k" * 1030: {"\x7f": '\ufffe\r\n\\"', "a": [-1, None, True, "1", "null"]}}])
@settings(deadline=None)
def test_json_is_yaml(value: Any) -> None:
    assert read_yaml(json.dumps({"a": value})) == {"a": value}


LONG = "k" * 1030


def test_places_in_json_that_no_yaml_parser_reads() -> None:
    data, marks = read_yaml_with_marks(f'{{"a": 1,\n "{LONG}": {{"b": [1,\n  {{"c": "x"}}]}}}}')

    found = locate(data, marks, (LONG, "b", 1, "c"))
    assert (found.line, found.column, found.path) == (3, 9, (LONG, "b", 1, "c"))
    found = locate(data, marks, (LONG, "b"), key=True)
    assert (found.line, found.column) == (2, 1037)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        (f'{{"a": 1,\n "{LONG}": 1, "a": 2}}', "duplicate-key", 2, 1039),
        (f'{{"{LONG}": "\\ud800"}}', "not-yaml", 1, 1036),
        (f'{{"{LONG}": ' + "[" * 41 + "]" * 41 + "}", "too-deep", 1, 1075),
        (f'{{"{LONG}": NaN}}', "not-yaml", 1, 1034),
        (f'{{"{LONG}": 1', "not-yaml", 1, 1034),
    ],
    ids=["twice", "half a character", "too deep", "no number", "not closed"],
)
def test_json_is_judged_as_yaml_is(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(YamlTextError) as refused:
        read_yaml(text)

    assert (refused.value.code, refused.value.line, refused.value.column) == (code, line, column)


def test_places_point_at_lines_columns_and_fields() -> None:
    text = "a:\n  - b: 1\n    c: {d: x,\n      e: y}\n  - &z [1,\n     2]\nf: *z\n"
    data, marks = read_yaml_with_marks(text)

    def place(*location: str | int) -> tuple[int, int, str]:
        found = locate(data, marks, location)
        return found.line, found.column, field_path(found.path)

    assert place() == (1, 1, "")
    assert place("a") == (1, 1, "a")
    assert place("a", 0) == (2, 5, "a[0]")
    assert place("a", 0, "b") == (2, 8, "a[0].b")
    assert place("a", 0, "c") == (3, 5, "a[0].c")
    assert place("a", 0, "c", "e") == (4, 10, "a[0].c.e")
    assert place("a", 1, 1) == (6, 6, "a[1][1]")
    assert place("f", 1) == (6, 6, "f[1]")
    assert place("a", 0, "some union", "c", "missing") == (3, 5, "a[0].c")
    assert place("a", 9) == (1, 1, "a")


def test_the_key_can_be_meant_instead_of_the_value() -> None:
    data, marks = read_yaml_with_marks("a: {misspelt: 1}\n")

    assert locate(data, marks, ("a", "misspelt"), key=True).column == 5
    assert locate(data, marks, ("a", "misspelt")).column == 15
