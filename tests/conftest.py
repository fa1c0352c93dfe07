"""What all tests share: the fast ones come first."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ORDER = ("unit", "contract", "integration", "acceptance", "faults")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests in the order of their folders, and marks those that need servers by their folder."""

    def folder(item: pytest.Item) -> str:
        return item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""

    for item in items:
        if folder(item) in ("integration", "acceptance", "faults"):
            item.add_marker(pytest.mark.integration)
        if folder(item) == "faults":
            item.add_marker(pytest.mark.faults)
    items.sort(key=lambda item: ORDER.index(folder(item)) if folder(item) in ORDER else len(ORDER))
