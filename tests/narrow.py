"""What commands print on a narrow terminal, and whether it can be compared row by row."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from types import ModuleType

import pytest
from rich.console import Console

from services.cli import output

WIDTHS = (80, 100)


@contextlib.contextmanager
def terminal(width: int, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> Iterator[io.StringIO]:
    """What is printed while it lasts, by `services.cli.output` and by modules that have its console under the same name, on a terminal of this width."""
    written = io.StringIO()
    console = Console(file=written, width=width)
    with monkeypatch.context() as patched:
        for module in (output, *modules):
            patched.setattr(module, "out", console)
        yield written


def blocks(text: str) -> list[str]:
    """Lines in which a row stands as named values, and not in a table; what is said once for every row is none, which goes on until its table begins."""
    found, said_once = [], False
    for line in text.splitlines():
        said_once = line.startswith("in every row:") or (said_once and not line.startswith("┏"))
        if " · " in line and not said_once:
            found.append(line)
    return found
