"""How wide output is: a pipe folds nothing, COLUMNS is honoured, figures and ids are never broken."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from services.cli import output

SHA256 = "de71fa6261e6bab59c3da1929246225fa9f93592afef7c8bd2c9fb3d6552a97d"
PLACE = "harvest-demo.partner.transactions.v1/0/1439"


@pytest.mark.parametrize("stderr", [False, True])
def test_a_pipe_is_as_wide_as_what_is_written_unless_columns_says_otherwise(stderr: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert output.console(stderr=stderr).width == output.PIPED_COLUMNS
    monkeypatch.setenv("COLUMNS", "90")
    assert output.console(stderr=stderr).width == 90


def printed(width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    written = io.StringIO()
    console = Console(file=written, width=width)
    monkeypatch.setattr(output, "out", console)
    rows = [("2026-03-02", "/partners/grocer 31336359713-grocer", PLACE, "1,307.32", SHA256)]
    output.print_table(("window", "event", "record", "amount", "report (SHA-256)"), rows, title="Some", right=("amount",))
    return written.getvalue()


@pytest.mark.parametrize("width", [70, 80, 120, 160, output.PIPED_COLUMNS])
def test_figures_places_and_hashes_stay_whole_at_any_width(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    words = printed(width, monkeypatch).split()
    for whole in ("2026-03-02", "31336359713-grocer", PLACE, "1,307.32", SHA256):
        assert whole in words


def test_a_pipe_has_one_line_for_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(output.PIPED_COLUMNS, monkeypatch).splitlines()
    assert len([line for line in lines if PLACE in line and SHA256 in line and "31336359713-grocer" in line]) == 1
    assert max(map(len, lines)) < 250


def at(width: int, monkeypatch: pytest.MonkeyPatch, rows: Sequence[tuple[str, ...]], **how: Any) -> list[str]:
    written = io.StringIO()
    monkeypatch.setattr(output, "out", Console(file=written, width=width))
    output.print_table(("party", "currency", "figure that has a long title", "state", "seen"), rows, right=("figure that has a long title",), **how)
    return written.getvalue().splitlines()


ROWS = [("grocer", "EUR", "1,307.32", "settled", "2026-03-02"), ("fuel", "EUR", "12.00", "instructed", "2026-03-02")]


def test_a_narrow_table_wraps_its_titles_before_it_leaves_anything_out(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = at(58, monkeypatch, ROWS)
    assert any("grocer" in line and "EUR" in line and "1,307.32" in line and "settled" in line and "2026-03-02" in line for line in lines)
    assert max(map(len, lines)) <= 58


def test_what_every_row_says_is_said_once_where_the_table_is_too_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *rest = at(44, monkeypatch, ROWS)
    assert first == "in every row: currency EUR · seen 2026-03-02"
    assert [line.count("EUR") for line in rest if "grocer" in line or "fuel" in line] == [0, 0]


def test_optional_columns_go_from_the_last_on_and_only_as_many_as_have_to(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("grocer", "EUR", "1,307.32", "settled", "2026-03-02"), ("fuel", "USD", "12.00", "instructed", "2026-03-03")]
    lines = "\n".join(at(50, monkeypatch, rows, optional=("state", "seen")))
    assert ("1,307.32" in lines, "USD" in lines, "settled" in lines, "2026-03-02" in lines) == (True, True, True, False)
    assert lines.endswith("too narrow here for: seen")
    assert "too narrow" not in "\n".join(at(80, monkeypatch, rows, optional=("state", "seen")))


def test_a_table_without_rows_says_so_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at(80, monkeypatch, [], empty="Nobody owes anything.") == ["Nobody owes anything."]


def test_a_terminal_wraps_sentences_between_words_but_never_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = "Nothing is owed in the window, and " + "so on and " * 12
    command = "next: clh settlement approve 2026-03-02 --as NAME --key FILE --programme harvest-of-the-north --output json"
    for terminal, wrapped in ((True, True), (False, False)):
        written = io.StringIO()
        monkeypatch.setattr(output, "out", Console(file=written, width=80, force_terminal=terminal, color_system=None))
        output.say(sentence)
        lines = written.getvalue().splitlines()
        assert (len(lines) > 1, " ".join(" ".join(lines).split())) == (wrapped, sentence.strip())
        assert not wrapped or max(map(len, lines)) <= 80
        output.say(command)
        assert written.getvalue().splitlines()[-1] == command
        output.say(sentence, whole=True)
        assert written.getvalue().splitlines()[-1] == sentence.rstrip() + " "
