"""docs/reference/cli.md, from the tree of commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

from typer.main import get_command

from services.cli.main import app
from services.docs.text import page as whole
from services.docs.text import plain, table

INTRODUCTION = (
    "Exit codes: 0 all is well; 1 something was found that should not be; 2 the command cannot be carried out as it was written; 3 what it needs does not run. "
    "Results go to standard output, progress and complaints to standard error."
)
STANDARD = {"help", "install_completion", "show_completion"}


def commands(command: Any = None, path: tuple[str, ...] = ("clh",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it, in alphabetical order; groups themselves are left out."""
    command = get_command(app) if command is None else command
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name in sorted(inner):
        yield from commands(inner[name], (*path, name))


def page() -> str:
    """The whole page."""
    found = list(commands())
    overview = table(("command", "what it does"), ((f"[{' '.join(path)}](#{'-'.join(path)})", plain(_first(command))) for path, command in found))
    return whole("Commands", INTRODUCTION, overview, *(_command(path, command) for path, command in found))


def _first(command: Any) -> str:
    return str(command.help or "").split("\n\n", 1)[0]


def _command(path: tuple[str, ...], command: Any) -> str:
    told = [p for p in command.params if p.name not in STANDARD and not getattr(p, "hidden", False)]
    arguments = [p for p in told if p.param_type_name == "argument"]
    options = [p for p in told if p.param_type_name == "option"]
    usage = " ".join([*path, *(_shown(p) for p in arguments), *(["[OPTIONS]"] if options else [])])
    rows = [(f"`{_shown(p)}`".replace("|", "\\|"), plain(p.help or ""), "") for p in arguments]
    rows += [(", ".join(f"`{name}`" for name in (*p.opts, *p.secondary_opts)) + _value(p), plain(p.help or ""), _default(p)) for p in options]
    parts = [f"## {' '.join(path)}", f"```text\n{usage}\n```", _described(str(command.help or ""))]
    return "\n\n".join([*parts, *([table(("argument or option", "meaning", "default"), rows)] if rows else [])])


def _shown(argument: Any) -> str:
    name = str(argument.metavar or argument.name.upper()).strip("[]")
    name += "…" if argument.nargs == -1 else ""
    return name if argument.required else f"[{name}]"


def _value(option: Any) -> str:
    if option.is_flag:
        return ""
    choices = _choices(option)
    return " " + (" \\| ".join(f"`{choice}`" for choice in choices) if choices else f"`{option.metavar or option.name.upper()}`")


def _choices(option: Any) -> list[str]:
    annotation = getattr(getattr(option, "type_descriptor", None), "annotation", None)
    return [str(member.value) for member in annotation] if isinstance(annotation, type) and issubclass(annotation, Enum) else []


def _default(option: Any) -> str:
    value = option.default.value if isinstance(option.default, Enum) else option.default
    return "" if value is None or value is False or value in ([], ()) or not option.show_default else f"`{value}`"


def _described(text: str) -> str:
    """Help with its examples in fenced blocks."""
    blocks: list[str] = []
    for block in re.split(r"\n\n+", text):
        if not block.startswith("    "):
            blocks.append(" ".join(block.replace("<", "\\<").split()))
        elif blocks and blocks[-1].startswith("```console"):
            blocks[-1] = blocks[-1].removesuffix("\n```") + "\n" + _unindented(block) + "\n```"
        else:
            blocks.append(f"```console\n{_unindented(block)}\n```")
    return "\n\n".join(blocks)


def _unindented(block: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in block.split("\n"))
