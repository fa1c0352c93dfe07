"""One thing has one word on every command line: `--as` is who does it, `--to` where it is written, `--output` how it is printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from services.cli.main import app
from services.cli.renamed import PLACED, RENAMED, said_anew

WITHOUT_JSON = {
    ("programme", "schema"): "prints a JSON Schema, and nothing else",
    ("run", "accrual"): "works until it is stopped, and prints nothing",
    ("run", "all"): "works until it is stopped, and prints nothing",
    ("run", "cron"): "works until it is stopped, and prints nothing",
    ("run", "insights"): "works until it is stopped, and prints nothing",
    ("run", "relay"): "works until it is stopped, and prints nothing",
}
"""Commands that print no facts of their own, each with its reason."""


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    def of(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        inner = getattr(command, "commands", {})
        for name, each in inner.items():
            yield from of(each, (*path, name))
        if not inner:
            yield path, command

    yield from of(typer.main.get_command(app), ())


COMMANDS = dict(commands())
OPTIONS = sorted((path, option) for path, command in COMMANDS.items() for parameter in command.params for option in parameter.opts if option[:1] == "-")


def option(path: tuple[str, ...], name: str) -> Any:
    return next((parameter for parameter in COMMANDS[path].params if name in parameter.opts), None)


def test_every_command_prints_json_or_says_here_why_not() -> None:
    silent = set()
    for path in COMMANDS:
        output = option(path, "--output")
        if output is None or "json" not in {str(each) for each in output.type_descriptor.annotation}:
            silent.add(path)
    assert silent == set(WITHOUT_JSON)


def test_output_is_never_a_place_and_has_the_same_short_name_everywhere() -> None:
    for path in COMMANDS:
        if (found := option(path, "--output")) is not None:
            assert found.opts == ["--output", "-o"], path


@pytest.mark.parametrize("gone", ["--by", "--out", "--json", "--save"])
def test_no_command_has_a_word_that_is_gone(gone: str) -> None:
    assert [path for path, name in OPTIONS if name == gone] == []


def test_as_is_a_name_everywhere() -> None:
    named = [path for path in COMMANDS if option(path, "--as") is not None]
    assert len(named) > 12
    assert {option(path, "--as").metavar for path in named} == {"NAME"}


@pytest.mark.parametrize(
    ("path", "gone"), [(path, gone) for path, words in RENAMED.items() for gone in words], ids=lambda word: " ".join([word] * (word is str))
)
def test_a_word_of_before_ends_in_a_sentence_that_says_the_new_one(path: tuple[str, ...], gone: str) -> None:
    for words in ((gone, "x"), (f"{gone}=x",)):
        result = CliRunner().invoke(app, [*path, *words])
        new = RENAMED[path][gone]
        assert (result.exit_code, f"{gone} is now {new}" in " ".join(result.stderr.split())) == (2, True), result.output
    assert option(path, RENAMED[path][gone].split()[0].rstrip(":")) is not None


@pytest.mark.parametrize("path", sorted(PLACED), ids=" ".join)
def test_a_place_behind_output_ends_in_a_sentence_that_says_to(path: tuple[str, ...]) -> None:
    for words in (("--output", "out/"), ("-o", "out/"), ("--output=out/",)):
        result = CliRunner().invoke(app, [*path, *words])
        assert (result.exit_code, "--to out/" in " ".join(result.stderr.split())) == (2, True), result.output
    assert option(path, "--to") is not None


def test_a_command_line_of_today_is_left_alone() -> None:
    assert said_anew(["bank", "rewards", "bank1", "2026-03-02", "--output", "json", "--to", "out"]) is None
    assert said_anew(["report", "show", "--output", "elsewhere"]) is None
    assert said_anew([]) is None
