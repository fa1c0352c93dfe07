"""The trees of a seal: whatever is in them is proved, whatever is not is not, and what is erased changes no hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.merkle import Tree, climb, path_to, root_of
from clearing.seal import (
    Ranged,
    Summed,
    canonical,
    commitment,
    head_of,
    key_id,
    leaf_hash,
    party_leaf,
    payments_leaf,
    prefixed,
    ranged,
    sha256,
    summed,
    summed_node,
    sums_of,
)

Amounts = list[dict[str, int]]
amounts = st.lists(st.dictionaries(st.sampled_from(["net/EUR", "count/line", "moved/points/1"]), st.integers(-(10**12), 10**12)), min_size=1, max_size=40)


def leaves(of: Sequence[dict[str, int]]) -> list[Summed]:
    return [summed_node(hashlib.sha256(canonical([no, sums])).digest(), 1, sums) for no, sums in enumerate(of)]


def split_root(nodes: Sequence[Summed]) -> Summed:
    """RFC 6962 as it is written: split at the largest power of two below their number."""
    if len(nodes) == 1:
        return nodes[0]
    split = 1
    while split * 2 < len(nodes):
        split *= 2
    return summed(split_root(nodes[:split]), split_root(nodes[split:]))


@given(amounts)
def test_a_tree_that_grows_leaf_by_leaf_is_the_one_of_rfc_6962(of: Amounts) -> None:
    assert root_of(leaves(of), summed) == split_root(leaves(of))


@given(amounts)
def test_a_root_carries_the_number_of_its_leaves_and_their_sums(of: Amounts) -> None:
    root = root_of(leaves(of), summed)
    names = {name for sums in of for name in sums}
    assert (root.leaves, dict(root.sums)) == (len(of), {name: sum(sums.get(name, 0) for sums in of) for name in names})


@given(amounts, st.data())
def test_every_leaf_is_proved_at_its_place_and_no_other(of: Amounts, data: st.DataObject) -> None:
    nodes = leaves(of)
    root = root_of(nodes, summed)
    index = data.draw(st.integers(0, len(nodes) - 1))
    path = path_to(nodes, index, summed)
    assert climb(nodes[index], index, len(nodes), path, summed) == root
    other = data.draw(st.integers(0, len(nodes) - 1))
    if other != index:
        try:
            reached = climb(nodes[index], other, len(nodes), path, summed)
        except ValueError:
            return  # the way from there has another length
        assert reached.hash != root.hash


@given(amounts, st.data())
def test_a_node_beside_the_way_cannot_have_other_sums(of: Amounts, data: st.DataObject) -> None:
    """What is hidden behind a node of a proof cannot be told to be less than it is: that is how nothing can be left out."""
    nodes = leaves([*of, {"net/EUR": 7}])
    index = data.draw(st.integers(0, len(nodes) - 1))
    path = path_to(nodes, index, summed)
    at = data.draw(st.integers(0, len(path) - 1))
    lied = [*path[:at], summed_node(path[at].hash, path[at].leaves, {**path[at].sums, "net/EUR": path[at].sums.get("net/EUR", 0) - 7}), *path[at + 1 :]]
    assert climb(nodes[index], index, len(nodes), lied, summed).hash != root_of(nodes, summed).hash


@given(amounts, st.data())
def test_leaves_that_are_left_out_added_or_moved_give_another_root(of: Amounts, data: st.DataObject) -> None:
    nodes = leaves(of)
    root = root_of(nodes, summed).hash
    at = data.draw(st.integers(0, len(nodes) - 1))
    assert root_of([*nodes, nodes[at]], summed).hash != root
    assert root_of([*nodes[:at], nodes[at], *nodes[at:]], summed).hash != root
    if len(nodes) > 1:
        assert root_of(nodes[:at] + nodes[at + 1 :], summed).hash != root
        assert root_of([*nodes[1:], nodes[0]], summed).hash != root


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=20), st.data())
def test_a_party_is_proved_in_the_tree_over_the_parties_and_stands_in_it_once(names: set[str], data: st.DataObject) -> None:
    parties = sorted(names)
    tops = [party_leaf(name, summed_node(bytes([no]) * 32, 1, {})) for no, name in enumerate(parties)]
    root = root_of(tops, ranged)
    assert (root.first, root.last) == (parties[0], parties[-1])
    index = data.draw(st.integers(0, len(tops) - 1))
    assert climb(tops[index], index, len(tops), path_to(tops, index, ranged), ranged) == root
    with pytest.raises(ValueError, match="stands behind"):
        root_of([*tops, tops[index]], ranged)
    for side in path_to(tops, index, ranged):
        assert not side.first <= parties[index] <= side.last


def test_a_tree_keeps_one_node_for_each_bit_of_its_size() -> None:
    tree = Tree(summed)
    for node in leaves([{}] * 1000):
        tree.add(node)
    assert len(tree.complete) == (1000).bit_count()


def test_a_tree_counts_the_leaves_of_complete_subtrees_too() -> None:
    nodes = leaves([{"net/EUR": no} for no in range(7)])
    tree = Tree(summed)
    tree.add(root_of(nodes[:4], summed), 2)
    tree.add(root_of(nodes[4:6], summed), 1)
    tree.add(nodes[6])
    assert (tree.count, tree.root()) == (7, root_of(nodes, summed))


def test_a_tree_without_leaves_has_no_root() -> None:
    with pytest.raises(ValueError, match=r"^a tree without leaves has no root$"):
        Tree(summed).root()


@pytest.mark.parametrize(("index", "count", "steps"), [(-1, 3, 2), (3, 3, 2), (0, 3, 1), (0, 3, 3), (2, 3, 2), (0, 1, 1)])
def test_a_proof_of_the_wrong_length_or_place_is_refused(index: int, count: int, steps: int) -> None:
    nodes = leaves([{}] * 4)
    with pytest.raises(ValueError, match=rf"^place {index} is not one of {count}$" if index in (-1, 3) else rf"the proof {steps}$"):
        climb(nodes[0], index, count, nodes[:steps], summed)


@given(st.lists(st.binary(max_size=6), max_size=5), st.lists(st.binary(max_size=6), max_size=5))
def test_two_lists_of_parts_have_the_same_bytes_only_when_they_are_the_same(one: list[bytes], other: list[bytes]) -> None:
    assert (prefixed(*one) == prefixed(*other)) == (one == other)


def test_what_is_hashed_for_one_purpose_is_not_for_another() -> None:
    node = summed_node(b"\x00" * 32, 1, {})
    top = Ranged(node.hash, "a", "a")
    hashes = [
        leaf_hash("a", "entry", "", b"", b""),
        commitment(b"", b""),
        summed(node, node).hash,
        party_leaf("a", node).hash,
        ranged(top, Ranged(node.hash, "b", "b")).hash,
    ]
    assert len(set(hashes)) == len(hashes)


def test_what_a_leaf_adds_to_the_sums() -> None:
    key = ["grocer", None, None, None]
    moves = [[1, *key, "points", 5], [1, *key, "points", 6], [21, *key, "EUR", 7]]
    assert sums_of("grocer", "entry", {"outcome": "accepted", "moves": moves}) == {
        "count/entry": 1,
        "events/accepted": 1,
        "moved/points/1": 11,
        "moved/EUR/21": 7,
    }
    line = {"currency": "EUR", "amount_minor": 9, "debtor": "grocer", "creditor": "opco"}
    assert [sums_of(party, "line", line)["net/EUR"] for party in ("grocer", "opco", "fuelco")] == [-9, 9, 0]


def packed(*parts: bytes) -> bytes:
    """Each part behind its length in four bytes, as the format says."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def test_every_hash_is_over_its_kind_and_its_parts_each_behind_its_length() -> None:
    """The format as docs/explanation has it, written a second time: a hash that changes breaks every seal there is."""

    def hashed(kind: int, *parts: bytes) -> bytes:
        return hashlib.sha256(bytes([kind]) + packed(*parts)).digest()

    assert commitment(b"salt", b"{}") == hashed(4, b"salt", b"{}")
    assert leaf_hash("grocer", "entry", "t/0/7", b"{}", b"c" * 32) == hashed(0, b"grocer", b"entry", b"t/0/7", b"{}", b"c" * 32)
    assert payments_leaf("grocer", b"[]") == Ranged(hashed(5, b"grocer", b"[]"), "grocer", "grocer")
    root = summed_node(b"r" * 32, 3, {"net/EUR": -5, "count/line": 1})
    node = packed(b"r" * 32, b"3", b"count/line", b"1", b"net/EUR", b"-5")
    assert party_leaf("grocer", root) == Ranged(hashed(2, b"grocer", node), "grocer", "grocer")
    other = summed_node(b"o" * 32, 2, {"net/EUR": 7})
    over = packed(b"o" * 32, b"2", b"net/EUR", b"7")
    assert summed(root, other) == summed_node(hashed(1, node, over), 5, {"net/EUR": 2, "count/line": 1})
    first, last = Ranged(b"f" * 32, "baker", "fuelco"), Ranged(b"l" * 32, "grocer", "opco")
    sides = packed(b"f" * 32, b"baker", b"fuelco"), packed(b"l" * 32, b"grocer", b"opco")
    assert ranged(first, last) == Ranged(hashed(3, *sides), "baker", "opco")
    assert sha256(b"x") == hashlib.sha256(b"x").hexdigest()
    assert key_id(b"k" * 32) == hashlib.sha256(b"k" * 32).hexdigest()[:16]


def test_a_head_says_what_it_is_of_and_that_of_a_result_has_signatures_too() -> None:
    run = {"run": 1, "report_sha256": "ab"}
    told = (
        b'{"format":1,"key":"k1","number":7,"parties":3,"previous":"cd","programme":"harvest","root":"ff00","run":{"report_sha256":"ab","run":1},'
        b'"window":"2026-03-02"}'
    )
    assert head_of("harvest", "2026-03-02", 7, b"\xff\x00", 3, run, "cd", "k1") == told
    assert head_of("harvest", "2026-03-02", 7, b"\xff\x00", 3, run, "cd", "k1", "ef") == told.replace(b'"window"', b'"signatures":"ef","window"')
    assert b'"previous":null' in head_of("harvest", "2026-03-02", 1, b"", 3, run, None, "k1")
