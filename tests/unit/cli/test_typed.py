"""What people type and the house keeps holds no payment card number: every such option of every command refuses one before anything is done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from schemas.card_numbers import card_numbers_in
from services.cli.dispute import _read
from services.cli.main import app
from services.cli.typed import negative_amount, no_card_number

CARD = "4111.1111.1111.1111"
KEPT = {"--note", "--reason", "--reference", "--remark", "--as"}
"""Options whose text is kept, in whatever command."""
PARAMETER: Any = SimpleNamespace(opts=["--reason"], name="reason")
NOT_TEXT = {("settlement", "recall", "--reason")}
"""A code of a list."""


def options() -> Iterator[tuple[str, ...]]:
    def of(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, each in getattr(command, "commands", {}).items():
            yield from of(each, (*path, name))
        for parameter in command.params:
            for option in KEPT & set(parameter.opts):
                yield (*path, option)

    yield from of(typer.main.get_command(app), ())


TYPED = sorted(set(options()) - NOT_TEXT)


def said(result: Result) -> str:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return " ".join(result.stderr.split())


def test_there_are_such_options_in_every_group_that_keeps_text() -> None:
    assert {path[0] for path in TYPED} >= {"dispute", "funding", "member", "people", "recon", "seal", "settlement"}
    assert len(TYPED) >= 20


@pytest.mark.parametrize("path", TYPED, ids=" ".join)
def test_a_card_number_in_what_is_typed_is_refused_with_its_code_and_not_repeated(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, f"he paid with {CARD}"])
    assert result.exit_code == 1, result.output
    assert said(result).startswith(f"{path[-1]} holds what passes for a payment card number")
    assert said(result).endswith("[card-number-in-clear]")
    assert "4111" not in result.output


@pytest.mark.parametrize("gap", ["    ", " \t\t\t ", "\n\n\n\n", "\u00a0\u2003 \u3000\u2009", "  -  "])
def test_a_card_number_with_any_space_between_its_blocks_is_refused_as_what_is_kept_has_single_spaces(gap: str) -> None:
    result = CliRunner().invoke(app, ["settlement", "reject", "2026-03-02", "--reason", f"card {gap.join(['4111', '1111', '1111', '1111'])}"])
    assert result.exit_code == 1, result.output
    assert said(result).endswith("[card-number-in-clear]")


@given(st.lists(st.sampled_from(["4111", "1111", " ", "  ", "\t", "\n", "\u00a0", "\u2003", "\x1f", "\x85", "-", "."]), min_size=4, max_size=24).map("".join))
def test_what_passes_holds_none_as_it_is_kept(text: str) -> None:
    with contextlib.suppress(typer.Exit):
        kept = " ".join((no_card_number(PARAMETER, text) or "").split())
        assert card_numbers_in(kept) == []


def test_a_name_to_be_enrolled_is_looked_at_too(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["people", "add", "4111-1111-1111-1111", "--public-key", str(tmp_path / "key")])
    assert (result.exit_code, said(result).endswith("[card-number-in-clear]")) == (1, True)


@pytest.mark.parametrize("content", [b"slip: 4111 1111 1111 1111", "Beleg 4111\u00a01111\u00a01111\u00a01111".encode(), CARD.encode("utf-16")])
def test_evidence_that_holds_a_card_number_is_not_taken(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "slip.txt").write_bytes(content)
    with pytest.raises(typer.Exit):
        _read(tmp_path / "slip.txt")
    assert "[card-number-in-clear]" in capsys.readouterr().err


def test_evidence_whose_name_is_a_card_number_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / f"{CARD}.txt").write_bytes(b"a slip")
    with pytest.raises(typer.Exit):
        _read(tmp_path / f"{CARD}.txt")


def test_other_evidence_is_taken_as_it_is(tmp_path: Path) -> None:
    content = b"%PDF-1.7\n0000000016 00000 n\nDE89 3704 0044 0532 0130 00"
    (tmp_path / "slip.pdf").write_bytes(content)
    assert _read(tmp_path / "slip.pdf").content == content


def test_what_holds_none_is_handed_on() -> None:
    assert no_card_number(None, "the last three are returns, 2026-03-02 to 2026-03-31") is not None  # type: ignore[arg-type]  # it is named only when it refuses
    assert no_card_number(None, None) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("funding add grocer -1 USD", True),
        ("funding pay-out grocer -10.50 EUR --reference x", True),
        ("funding add grocer 1 USD --reference -5", False),
        ("funding add grocer 5000.00 EUR", False),
        ("funding list -1", False),
    ],
)
def test_an_amount_below_nothing_is_no_option_that_is_unknown(words: str, refused: bool) -> None:
    assert (negative_amount(words.split()) is not None) is refused
    if refused:
        done = CliRunner().invoke(app, words.split())
        assert (done.exit_code, "an amount is above nothing" in done.output, "No such option" in done.output) == (2, True, False)
