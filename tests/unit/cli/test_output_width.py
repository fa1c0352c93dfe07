"""How wide output is: a pipe folds nothing, COLUMNS is honoured, figures and ids are never broken."""

from __future__ import annotations

import io

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
