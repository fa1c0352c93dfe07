"""Somebody inside, who can sign, changes what was sealed: whatever it is, both verifiers find it, since the root went out before."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from clearing.seal import canonical, sha256
from services.seal.container import CHAIN, ENTRIES, PROOF, STATEMENT
from services.seal.leaves import Leaf, made
from tests.seals import Key, auditor, both, event, export_of, key_file, line, sealed, window_of_leaves

Members = dict[str, bytes]
Rows = list[bytes]


@pytest.fixture(scope="module")
def module() -> Any:
    return auditor()


def rows_of(members: Members) -> Rows:
    return members[ENTRIES].splitlines(keepends=True)


def with_rows(change: Callable[[Rows], Rows]) -> Callable[[Members], None]:
    def tamper(members: Members) -> None:
        members[ENTRIES] = b"".join(change(rows_of(members)))

    return tamper


def altered(rows: Rows) -> Rows:
    """One amount in an entry, and the hash beside it made to fit."""
    leaf = json.loads(rows[4])
    leaf["body"]["moves"][0][-1] += 1
    return [*rows[:4], canonical(leaf) + b"\n", *rows[5:]]


def foreign(rows: Rows) -> Rows:
    """An entry of another seal, right in itself."""
    other = event("grocer", 99, "grocer", [])
    row = canonical({"party": other.party, "kind": other.kind, "key": other.key, "body": json.loads(other.body), "committed": other.committed.hex(),
                     "salt": None, "personal": None, "leaf": other.node.hash.hex()})  # fmt: skip
    return [*rows, row + b"\n"]


TAMPERED: dict[str, Callable[[Members], None]] = {
    "an entry is altered": with_rows(altered),
    "an entry is removed": with_rows(lambda rows: [*rows[:4], *rows[5:]]),
    "the last entry is removed": with_rows(lambda rows: rows[:-1]),
    "a line is removed": with_rows(lambda rows: [*rows[:1], *rows[2:]]),
    "all is removed": with_rows(lambda rows: rows[:0]),
    "an entry is inserted": with_rows(foreign),
    "an entry is there twice": with_rows(lambda rows: [*rows[:5], rows[4], *rows[5:]]),
    "two entries change places": with_rows(lambda rows: [*rows[:4], rows[5], rows[4], *rows[6:]]),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_entries_that_are_not_exactly_those_that_were_sealed_are_found(what: str, module: Any, tmp_path: Path) -> None:
    path = export_of(sealed(window_of_leaves()), "grocer", tmp_path, TAMPERED[what])
    verdict, problems = both(path, key_file(tmp_path), module)
    assert verdict.problems, what
    assert problems, what


@pytest.mark.parametrize(
    ("what", "entry"),
    [
        ("an entry is altered", "grocer entry partner.transactions.v1/0/0"),
        ("an entry is there twice", "grocer entry partner.transactions.v1/0/0"),
        ("two entries change places", "grocer entry partner.transactions.v1/0/0"),
    ],
)
def test_of_what_can_be_told_the_entry_is_named(what: str, entry: str, module: Any, tmp_path: Path) -> None:
    path = export_of(sealed(window_of_leaves()), "grocer", tmp_path, TAMPERED[what])
    verdict, problems = both(path, key_file(tmp_path), module)
    assert any(problem.entry is not None and problem.entry.startswith(entry) for problem in verdict.problems)
    assert any(problem.startswith(f"{ENTRIES}: {entry}") for problem in problems)


def test_entries_of_two_parties_cannot_change_places(module: Any, tmp_path: Path) -> None:
    def swap(rows: Rows) -> Rows:
        mine = next(at for at, row in enumerate(rows) if b'"party":"fuelco"' in row and b'"kind":"entry"' in row)
        yours = next(at for at, row in enumerate(rows) if b'"party":"grocer"' in row and b'"kind":"entry"' in row)
        rows[mine], rows[yours] = (
            rows[yours].replace(b'"party":"grocer"', b'"party":"fuelco"'),
            rows[mine].replace(b'"party":"fuelco"', b'"party":"grocer"'),
        )
        return rows

    path = export_of(sealed(window_of_leaves()), "opco", tmp_path, with_rows(swap))
    verdict, problems = both(path, key_file(tmp_path), module)
    assert {"fuelco", "grocer"} <= {problem.entry.split()[0] for problem in verdict.problems if problem.entry}
    assert problems


def test_a_statement_that_was_replaced_is_found(module: Any, tmp_path: Path) -> None:
    def replaced(members: Members) -> None:
        other = json.loads(members[STATEMENT])
        other["lines"][0]["amount_minor"] += 100
        members[STATEMENT] = canonical(other)

    path = export_of(sealed(window_of_leaves()), "grocer", tmp_path, replaced)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert [(problem.file, "line 0" in problem.what) for problem in verdict.problems] == [(STATEMENT, True)]
    assert [problem.split(":")[0] for problem in problems] == [STATEMENT]


def test_the_export_of_one_party_does_not_prove_anothers(module: Any, tmp_path: Path) -> None:
    of = sealed(window_of_leaves())
    theirs: Members = {}
    export_of(of, "fuelco", tmp_path, theirs.update)

    def exchanged(members: Members) -> None:
        members |= {name: theirs[name] for name in (ENTRIES, PROOF, STATEMENT)}

    path = export_of(of, "grocer", tmp_path, exchanged)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert verdict.problems
    assert problems


def test_a_sealed_line_that_does_not_follow_from_its_entries_is_named(module: Any, tmp_path: Path) -> None:
    """Nothing was changed after sealing: what was sealed was wrong."""
    for number, wrong in ((0, {"amount_minor": 4}), (1, {"amount_minor": 2}), (2, {"amount_minor": 55}), (2, {"quantity": 55}), (3, {"unit_price": "0.0095"})):
        leaves = window_of_leaves()
        for party, own in leaves.items():
            leaves[party] = [_relined(leaf, number, wrong) for leaf in own]
        path = export_of(sealed(leaves), "opco", tmp_path)
        verdict, problems = both(path, key_file(tmp_path), module)
        assert {f"{party} line {number}" for party in leaves if any(leaf.kind == "line" and leaf.key == str(number) for leaf in leaves[party])} <= {
            problem.entry for problem in verdict.problems
        }
        assert any(f" line {number}: " in problem for problem in problems)


def _relined(leaf: Leaf, number: int, wrong: dict[str, Any]) -> Leaf:
    if leaf.kind != "line" or leaf.key != str(number):
        return leaf
    return structs.replace(leaf, body=canonical(json.loads(leaf.body) | wrong))


def test_a_line_that_rests_on_nothing_is_refused(module: Any, tmp_path: Path) -> None:
    leaves = window_of_leaves()
    invented = line(4, kind="reward", amount_minor=100, contract=None)
    leaves["grocer"].insert(5, made("grocer", "line", "4", invented))
    path = export_of(sealed(leaves), "grocer", tmp_path)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert "grocer line 4" in {problem.entry for problem in verdict.problems}
    assert any("grocer line 4" in problem for problem in problems)


def test_a_history_that_was_written_anew_does_not_hold_the_head_that_was_told(module: Any, tmp_path: Path) -> None:
    keys, told = key_file(tmp_path), sealed(window_of_leaves())
    again = sealed(window_of_leaves())
    path = export_of(again, "grocer", tmp_path)
    assert both(path, keys, module, again.head)[0].problems == []
    assert both(path, keys, module, again.head)[1] == []
    verdict, problems = both(path, keys, module, told.head)
    assert [problem.file for problem in verdict.problems] == [CHAIN]
    assert [problem.split(":")[0] for problem in problems] == [CHAIN]


@pytest.mark.parametrize("gone", [0, 1])
def test_a_head_that_is_missing_breaks_the_chain(gone: int, module: Any, tmp_path: Path) -> None:
    def shortened(members: Members) -> None:
        heads = members[CHAIN].splitlines(keepends=True)
        members[CHAIN] = b"".join(heads[:gone] + heads[gone + 1 :])

    path = export_of(sealed(window_of_leaves(), before=2), "grocer", tmp_path, shortened)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert CHAIN in {problem.file for problem in verdict.problems}
    assert any(problem.startswith(CHAIN) for problem in problems)


def test_heads_of_an_old_key_hold_as_long_as_it_is_known(module: Any, tmp_path: Path) -> None:
    old, new = Key(2), Key(3)
    of = sealed(window_of_leaves(), signer=old)
    path = export_of(of, "grocer", tmp_path, signer=new)
    assert both(path, key_file(tmp_path, old, new), module)[0].problems == []
    assert both(path, key_file(tmp_path, old, new), module)[1] == []
    verdict, problems = both(path, key_file(tmp_path, new), module)
    assert {problem.file for problem in verdict.problems} == {CHAIN}
    assert {problem.split(":")[0] for problem in problems} == {CHAIN}


def test_a_person_can_be_erased_and_everything_still_holds(module: Any, tmp_path: Path) -> None:
    of = sealed(window_of_leaves())
    before = export_of(of, "grocer", tmp_path).read_bytes()
    assert b"hc-0" in before
    erased = {party: [structs.replace(leaf, salt=None, personal=None) if leaf.member else leaf for leaf in own] for party, own in of.leaves.items()}
    path = export_of(replace(of, leaves=erased), "grocer", tmp_path)
    assert b"hc-0" not in path.read_bytes()
    verdict, problems = both(path, key_file(tmp_path), module, of.head)
    assert (verdict.problems, problems) == ([], [])


def test_a_partner_is_not_told_whose_purchase_it_was_when_another_sold(tmp_path: Path) -> None:
    members: Members = {}
    export_of(sealed(window_of_leaves()), "grocer", tmp_path, members.update)
    told = {leaf["key"]: leaf["personal"] for leaf in map(json.loads, rows_of(members)) if leaf["kind"] == "entry"}
    assert told["partner.transactions.v1/0/0"]["card"] == "hc-0"
    assert told["partner.transactions.v1/0/3"] is None


def test_the_manifest_holds_the_hashes_of_the_files(tmp_path: Path) -> None:
    members: Members = {}
    path = export_of(sealed(window_of_leaves()), "grocer", tmp_path, members.update)
    with tarfile.open(path) as archive:
        found = {info.name: archive.extractfile(info) for info in archive}
        contents = {name: file.read() for name, file in found.items() if file is not None}
    files = json.loads(contents["manifest.json"])["files"]
    assert {name: contents[name] for name in members} == members
    assert {name: told["sha256"] for name, told in files.items()} == {name: sha256(content) for name, content in members.items()}
