"""Whatever bit of an export is flipped, both verifiers find it and name the file, and the entry where it can be told."""

from __future__ import annotations

import functools
import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.seal import keys as keys_of_the_house
from services.seal import verify_result
from services.seal.container import ENTRIES, MANIFEST, MEMBERS, SIGNATURE, Member, take_apart
from services.settlement.keys import holds
from tests.seals import HOUSE, Key, auditor, both, export_of, key_file, sealed, settled, window_of_leaves

PARTS = 6
"""So many tests the bytes of the small export are shared out to."""


@pytest.fixture(scope="module")
def module() -> Any:
    return auditor()


def members(path: Path) -> list[Member]:
    """Where the files of an export lie."""
    with path.open("rb") as file:
        return list(take_apart(file).members.values())


def file_at(files: list[Member], at: int) -> str:
    """Which file a byte of the archive belongs to: its content, the header before it, or what fills its last block."""
    return max((member for member in files if member.start - 512 <= at), key=lambda member: member.start).name


def entries_at(path: Path, files: list[Member]) -> Iterator[tuple[int, int, str]]:
    """From where to where each line of the entries lies, and how it is called."""
    own = next(member for member in files if member.name == ENTRIES)
    at = own.start
    for row in path.read_bytes()[own.start : own.start + own.size].splitlines(keepends=True):
        leaf = json.loads(row)
        yield at, at + len(row) - 1, f"{leaf['party']} {leaf['kind']} {leaf['key']}"
        at += len(row)


@contextmanager
def flipped(path: Path, at: int, bit: int) -> Iterator[None]:
    """One bit of the file is the other one while the block runs; nothing else of it is written."""
    with path.open("r+b", buffering=0) as file:
        (before,) = os.pread(file.fileno(), 1, at)
        os.pwrite(file.fileno(), bytes([before ^ 1 << bit]), at)
        try:
            yield
        finally:
            os.pwrite(file.fileno(), bytes([before]), at)


def alike(named: str | None, entry: str) -> bool:
    """Whether an entry is named: by its name, in which the flipped bit may lie, or by its line, where it could not be read."""
    if named is None:
        return False
    return named.startswith("line ") or sum(one != other for one, other in zip(named, entry, strict=False)) <= 1


def expect_found(path: Path, keys: Path, module: Any, file: str, entry: str | None, where: str) -> None:
    """Both verifiers name the file, and the entry where a line of the entries was hit."""
    verdict, problems = both(path, keys, module)
    assert file in {problem.file for problem in verdict.problems}, where
    assert any(problem.startswith(f"{file}: ") for problem in problems), where
    if entry is not None:
        assert any(alike(problem.entry, entry) for problem in verdict.problems), where
        assert any(alike(problem.split(": ")[1], entry) for problem in problems if problem.startswith(ENTRIES)), where


@pytest.fixture(scope="module")
def quick() -> Iterator[Any]:
    """The auditor's file with the signatures checked by a library: its own check, in pure Python, takes longer than all the rest, and has its own test.

    What a library says of a key, a message and a signature is remembered for both verifiers: of nearly all flips they are the same again.
    """
    found, remembered = auditor(), functools.cache(holds)
    found.signed = remembered
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys_of_the_house, "holds", remembered)
        patch.setattr(verify_result, "holds", remembered)
        yield found


@pytest.mark.parametrize("of", ["signature", "message", "key"])
def test_the_auditors_own_check_of_signatures_agrees_with_a_librarys_whatever_bit_is_flipped(of: str, module: Any) -> None:
    message = b"clh seal head 1\n{}"
    parts = {"signature": HOUSE.sign(message), "message": message, "key": HOUSE.public}
    assert module.signed(parts["key"], message, parts["signature"])
    for at in range(len(parts[of])):
        other = bytearray(parts[of])
        other[at] ^= 1 << at % 8
        said = {**parts, of: bytes(other)}
        assert not module.signed(said["key"], said["message"], said["signature"])
        assert not holds(said["key"], said["message"], said["signature"])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_flipped_bit_in_any_byte_of_a_small_export_is_found_and_its_file_named(part: int, quick: Any, tmp_path: Path) -> None:
    keys = key_file(tmp_path)
    path = export_of(settled(sealed(window_of_leaves(), before=0)), "fuelco", tmp_path)
    whole, files = path.read_bytes(), members(path)
    assert both(path, keys, quick)[0].problems == []
    lines = list(entries_at(path, files))
    for at in range(part, len(whole), PARTS):
        entry = next((name for first, end, name in lines if first <= at < end), None)
        bit = at // PARTS % 8
        with flipped(path, at, bit):
            expect_found(path, keys, quick, file_at(files, at), entry, f"byte {at}, bit {bit}")
    assert path.read_bytes() == whole


def test_random_flipped_bits_of_a_larger_export_are_found_with_the_entry_that_they_hit(module: Any, tmp_path: Path) -> None:
    keys = key_file(tmp_path)
    path = export_of(settled(sealed(window_of_leaves(40), before=3)), "opco", tmp_path)
    whole, files = path.read_bytes(), members(path)
    lines = list(entries_at(path, files))
    chosen = random.Random(20260302)
    for _ in range(60):
        at, bit = chosen.randrange(len(whole)), chosen.randrange(8)
        entry = next((name for first, end, name in lines if first <= at < end), None)
        with flipped(path, at, bit):
            expect_found(path, keys, module, file_at(files, at), entry, f"byte {at}, bit {bit}")


def test_a_byte_more_or_less_anywhere_is_found(module: Any, tmp_path: Path) -> None:
    keys = key_file(tmp_path)
    path = export_of(sealed(window_of_leaves(), before=0), "fuelco", tmp_path)
    whole = path.read_bytes()
    for changed in (whole + b"\x00", whole + whole, whole[:-1], whole[:-1024], whole[1:], whole[:700], b"", whole[:512] + b"x" + whole[512:]):
        path.write_bytes(changed)
        verdict, problems = both(path, keys, module)
        assert verdict.problems, len(changed)
        assert problems, len(changed)


def test_of_a_flipped_manifest_and_a_flipped_signature_each_is_named(module: Any, tmp_path: Path) -> None:
    keys = key_file(tmp_path)
    path = export_of(sealed(window_of_leaves()), "grocer", tmp_path)
    files = members(path)
    for name in (MANIFEST, SIGNATURE):
        member = files[MEMBERS.index(name)]
        with flipped(path, member.start + member.size // 2, 0):
            verdict, problems = both(path, keys, module)
        assert verdict.problems[0].file == name
        assert problems[0].split(":")[0] == name


def test_an_export_that_somebody_else_signed_is_refused_whole_as_it_is(module: Any, tmp_path: Path) -> None:
    other = Key(9)
    path = export_of(sealed(window_of_leaves(), signer=other), "grocer", tmp_path, signer=other)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert {problem.file for problem in verdict.problems} == {MANIFEST, "chain.jsonl"}
    assert {problem.split(":")[0] for problem in problems} >= {"chain.jsonl"}
    verdict, problems = both(path, key_file(tmp_path, other), module)
    assert (verdict.problems, problems) == ([], [])
