"""The lock files agree with each other and with pyproject.toml, name no registry, and have hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "deploy/requirements.lock")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(lock: str) -> set[tuple[str, str]]:
    """Name and version of each package of a lock file."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {(normal(name), version) for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ \\;]+)", text, re.MULTILINE)}


def test_containers_get_the_versions_that_were_tested() -> None:
    assert pinned("deploy/requirements.lock") <= pinned("requirements.lock")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_locked(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {normal(re.split(r"[\[<>=;! ]", dependency, maxsplit=1)[0]) for dependency in project["dependencies"]}
    assert names <= {name for name, _ in pinned(lock)}, "run: make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_has_hashes_and_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert all("--hash=sha256:" in block for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:])
