"""Refusals end a command with their sentence and code; anything else is a fault and stays one."""

from __future__ import annotations

import pytest
import typer

from services.cli.output import FAILED, refused


class OneRefused(Exception):
    """A refusal with a code."""

    code = "no-such-line"


def test_a_refusal_ends_the_command_with_its_sentence_and_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, refused(KeyError, OneRefused):
        raise OneRefused("window 2026-03-02 has no line 9")
    assert ended.value.exit_code == FAILED
    assert capsys.readouterr().err == "window 2026-03-02 has no line 9 [no-such-line]\n"


def test_what_is_no_refusal_goes_on() -> None:
    with pytest.raises(ValueError, match="a fault"), refused(OneRefused):
        raise ValueError("a fault")
