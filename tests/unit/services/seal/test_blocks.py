"""Entries are verified in blocks, by other processes where there are many: what is found does not depend on where a block ends."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from services.seal import verify_entries
from services.seal.container import ENTRIES
from services.seal.leaves import Leaf
from tests.seals import VERIFIER, auditor, both, event, export_of, key_file, sealed, window_of_leaves

EVENTS = 21
HEIGHT = 2
"""Blocks of four rows: the grocer has several, and parties begin and end within what is read at once."""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The auditor's verifier; it and `clh verify` work in small blocks."""
    monkeypatch.setattr(verify_entries, "LEAVES", 1 << HEIGHT)
    module = auditor()
    module.HEIGHT = HEIGHT
    return module


@pytest.mark.parametrize("processes", [False, True])
def test_blocks_come_to_the_trees_that_were_sealed(module: Any, processes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if processes:
        monkeypatch.setattr(verify_entries, "ALONE_BYTES_MAX", 0)
    leaves = window_of_leaves(EVENTS)
    verdict, problems = both(export_of(sealed(leaves), "opco", tmp_path), key_file(tmp_path), module)
    assert (verdict.problems, problems) == ([], [])
    assert verdict.entries == sum(map(len, leaves.values()))


@pytest.mark.parametrize("place", range(6, 11))
def test_a_row_of_another_party_anywhere_among_a_partys_own_is_named(module: Any, place: int, tmp_path: Path) -> None:
    def moved(members: dict[str, bytes]) -> None:
        rows = members[ENTRIES].splitlines(keepends=True)
        begins = next(at for at, row in enumerate(rows) if b'"party":"grocer"' in row)
        other = next(row for row in rows if b'"party":"fuelco"' in row and b'"kind":"entry"' in row)
        members[ENTRIES] = b"".join([*rows[: begins + place], other, *rows[begins + place :]])

    path = export_of(sealed(window_of_leaves(EVENTS)), "opco", tmp_path, moved)
    verdict, problems = both(path, key_file(tmp_path), module)
    named = f"fuelco entry partner.transactions.v1/0/{EVENTS}"
    assert any(problem.entry is not None and problem.entry.startswith(named) for problem in verdict.problems)
    assert any(problem.startswith(f"{ENTRIES}: {named}") for problem in problems)


@pytest.mark.parametrize("at", [7, 8, 9])
def test_two_rows_that_change_places_are_found_on_both_sides_of_the_end_of_a_block(module: Any, at: int, tmp_path: Path) -> None:
    def swapped(members: dict[str, bytes]) -> None:
        rows = members[ENTRIES].splitlines(keepends=True)
        at_of = next(no for no, row in enumerate(rows) if b'"party":"grocer"' in row) + at
        rows[at_of : at_of + 2] = [rows[at_of + 1], rows[at_of]]
        members[ENTRIES] = b"".join(rows)

    path = export_of(sealed(window_of_leaves(EVENTS)), "opco", tmp_path, swapped)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert any("it stands behind what comes after it" in problem.what and problem.entry for problem in verdict.problems)
    assert any(f"{ENTRIES}: grocer entry" in problem and "it stands behind what comes after it" in problem for problem in problems)


LONG = "x" * 4000
POOL_BYTES = 16 << 20
"""Above so many bytes of entries the auditor's file takes all processors."""


@pytest.fixture(scope="module")
def wide() -> dict[str, list[Leaf]]:
    """A window of three blocks whose ids are so long that its entries are more than the auditor's file checks alone."""
    leaves = window_of_leaves(3)
    nothing = [event("grocer", no, f"grocer{LONG}", [], "rejected") for no in range(4, 4300)]
    return leaves | {"grocer": [*leaves["grocer"], *nothing]}


def audited(path: Path, keys: Path) -> tuple[int, list[str]]:
    """What the auditor's file says as it is run: its status, and its lines."""
    run = subprocess.run([sys.executable, "-I", str(VERIFIER), str(path), str(keys)], capture_output=True, text=True, check=False, timeout=300)
    assert run.stderr == ""
    return run.returncode, run.stdout.splitlines()


def test_the_auditors_file_checks_many_entries_on_all_processors_and_names_what_is_wrong_in_each_block(wide: dict[str, list[Leaf]], tmp_path: Path) -> None:
    of = sealed(wide)
    path, keys = export_of(of, "grocer", tmp_path), key_file(tmp_path)
    with tarfile.open(path) as files:
        assert files.getmember(ENTRIES).size > POOL_BYTES
    status, said = audited(path, keys)
    assert (status, [told for told in said if not told.startswith("note: ")]) == (0, [f"{path}: everything holds"])

    changed = (100, 2500, 4200)

    def tamper(members: dict[str, bytes]) -> None:
        rows = members[ENTRIES].splitlines(keepends=True)
        for row in changed:
            rows[row] = rows[row].replace(b'"code":"malformed"', b'"code": "malformed"')
        members[ENTRIES] = b"".join(rows)

    status, said = audited(export_of(of, "grocer", tmp_path, tamper), keys)
    assert status == 1
    keys_named = re.findall(rf"^{ENTRIES}: grocer entry (\S+?)(?: \(event \w+\))?: .*one form", "\n".join(said), re.MULTILINE)
    assert keys_named == [wide["grocer"][row].key for row in changed]
