"""Every path that the documentation names is there: files and folders in back quotes, and what links lead to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"))]
TOP = ("schemas", "clearing", "services", "tests", "docs", "examples", "deploy", "scripts")
NAMED = re.compile(rf"`((?:{'|'.join(TOP)})/[\w./<>…*-]*)(?:::[^`]*)?`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")
TO_BE_MADE = re.compile(r"<\w+>|000N|…|\*")
"""What stands for a name that the reader chooses."""


def there(path: str) -> bool:
    """Whether a path, or, where the reader chooses the name, the folder in which it is to be, exists."""
    chosen = TO_BE_MADE.search(path)
    return (ROOT / (path[: chosen.start()].rpartition("/")[0] if chosen else path)).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [path for path in NAMED.findall(text) if not there(path)] == []
    assert [target for target in LINK.findall(text) if not (page.parent / target).exists()] == []


def test_missing_paths_are_found() -> None:
    assert NAMED.findall("see `schemas/nothing.py` and `tests/unit/x.py::test_y`") == ["schemas/nothing.py", "tests/unit/x.py"]
    assert not there("schemas/nothing.py")
    assert there("clearing/mechanics/<kind>.py")
    assert not there("clearing/mechanisms/<kind>.py")
    assert there("services/journal/migrations/versions/m000N_<what>.py")
