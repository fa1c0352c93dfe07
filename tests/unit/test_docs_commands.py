"""Every `clh` command line in fenced `console` blocks of the documentation can be parsed: group, command and options are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from services.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
FENCE = re.compile(r"^[ ]*```(?:console|bash|sh|shell)\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
STEPS = {";", "&&", "||", "|"}
TREE = get_command(app)


def calls(line: str) -> Iterator[list[str]]:
    """The words of each call of `clh` in a line of shell."""
    inner = re.findall(r"\$\((clh [^)]*)\)", line)
    reader = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=";&|")
    reader.whitespace_split, reader.commenters = True, "#"
    call: list[str] = []
    for word in [*reader, ";"]:
        if word not in STEPS:
            call.append(word)
            continue
        if call and call[0] == "clh":
            yield call[1 : call.index(">")] if ">" in call else call[1:]
        call = []
    for text in inner:
        yield shlex.split(text)[1:]


def lines() -> list[tuple[str, str]]:
    """Page and command line, for each line that begins a command."""
    found = []
    for page in PAGES:
        for block in FENCE.findall(page.read_text(encoding="utf-8")):
            found += [(page.relative_to(ROOT).as_posix(), line.strip()) for line in block.replace("\\\n", " ").splitlines() if "clh " in line]
    return found


def complaint(words: list[str]) -> str | None:
    """What is wrong with a call, or None."""
    command: Any = TREE
    rest = list(words)
    while rest and getattr(command, "commands", None) and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    if rest in ([], ["--help"]) and getattr(command, "commands", None):
        return None
    options = {name: param for param in command.params for name in (*param.opts, *param.secondary_opts) if param.param_type_name == "option"}
    given = 0
    while rest:
        word = rest.pop(0)
        if word == "--help":
            return None
        if not word.startswith("-") or word == "-":
            given += 1
            continue
        name, equals, _ = word.partition("=")
        if name not in options:
            return f"no option {name}"
        if not options[name].is_flag and not equals:
            if not rest:
                return f"{name} needs a value"
            rest.pop(0)
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    least, many = sum(param.required for param in arguments), any(param.nargs == -1 for param in arguments)
    return None if least <= given and (many or given <= len(arguments)) else f"{given} arguments"


@pytest.mark.parametrize(("page", "line"), lines())
def test_a_command_line_of_the_documentation_can_be_parsed(page: str, line: str) -> None:
    assert [found for words in calls(line) if (found := complaint(words))] == [], page


def test_there_are_command_lines() -> None:
    assert len({page for page, _ in lines()}) >= 5


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("clh window shut", ["no command shut"]),
        ("clh window close --twice", ["no option --twice"]),
        ("clh report show --nights", ["--nights needs a value"]),
        ("clh explain obligation 2026-03-02", ["1 arguments"]),
        ("make demo; clh nothing | clh dev up", ["no command nothing"]),
    ],
)
def test_what_cannot_be_parsed_is_found(line: str, wrong: list[str]) -> None:
    assert [found for words in calls(line) if (found := complaint(words))] == wrong
