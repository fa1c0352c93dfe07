"""What data brings along is shown as it is, in every way in which commands speak: no markup, nothing that steers a terminal, nothing that breaks."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

from services.cli import output
from services.cli.escaping import DataConsole, visible
from services.cli.findings import print_findings
from services.documents.findings import Finding
from tests.unit.cli.test_scenario import REPORT

NASTY = ["[/red]", "[bold]x", "[link=\\", "[/b]", "\x1b[31mred", "\x9b2J", "\ud800", "a\u202eb", "\x00", "[green]ok", ":smile:"]
SAFE = {text: visible(text) for text in NASTY}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What was printed on both consoles; what cannot be encoded would raise."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
    monkeypatch.setattr(output, "out", DataConsole(file=stream, width=200))
    monkeypatch.setattr(output, "err", DataConsole(file=stream, width=200))
    return lambda: written.getvalue().decode()


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_cells_titles_and_columns(text: str, printed: Callable[[], str]) -> None:
    output.print_table((text, "b"), [(1, text), (None, "c")], title=text)

    assert printed().count(SAFE[text]) == 3


@pytest.mark.parametrize("text", NASTY, ids=ascii)
@pytest.mark.parametrize("shown", [str, Text], ids=["str", "Text"])
def test_whatever_is_printed(text: str, shown: Callable[[str], Any], printed: Callable[[], str]) -> None:
    output.out.print(shown(text))
    output.out.print(shown(text), style="bold red", highlight=False)

    assert printed().count(SAFE[text]) == 2


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_other_tables(text: str, printed: Callable[[], str]) -> None:
    output.out.print(_table(text))

    assert not set("\x1b\x9b\u202e\x00") & set(printed())
    assert SAFE[text] in printed() or SAFE[text] != text


def _table(text: str) -> Table:
    table = Table("a")
    table.add_row(text)
    return table


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_messages(text: str, printed: Callable[[], str]) -> None:
    output.fail(f"there is no {text}")
    with output.progress_bars() as report:
        report(text, 1, 2)

    assert f"there is no {SAFE[text]}" in printed()


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_json_stays_the_same_json(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({text: [text]})
    output.print_json_line({text: [text]})

    printed = capsys.readouterr().out
    printed.encode()
    assert not set("\x1b\x9b\u202e\ud800") & set(printed)
    whole, line = printed.rsplit("\n", 2)[:2]
    assert json.loads(whole) == json.loads(line) == {text: [text]}


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_a_scenario_whose_ids_are_nasty(text: str, printed: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    from services.cli import findings, scenario
    from services.scenario.run import ScenarioResult

    monkeypatch.setattr(findings, "out", output.out)
    report = REPORT | {"balances": {text: {"available": 1, "pending": 0}}, "rejected": {text: "malformed"}, "differences": [text]}

    scenario._print(ScenarioResult(text, report, [text]), output.Format.TABLE, alone=True)
    print_findings([Finding(text, 1, 1, text, "wrong-value", text, text)])

    assert printed().count(SAFE[text]) == 8


def test_line_breaks_and_ordinary_text_stay() -> None:
    assert visible("a\tb\nÄ 你 😀") == "a\tb\nÄ 你 😀"
