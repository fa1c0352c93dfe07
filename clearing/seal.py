"""The seal of a window: what is hashed, in which order, and how a part of it is proved (docs/adr/0015-seal.md).

Each party has a tree of its own: what concerns it, in a fixed order, as leaves; inner nodes carry the sums and the number of what lies below them, so
nothing can be left out without its root changing. Above stands one tree over the parties, sorted by name; its nodes carry the first and the last party
below them, so a party can stand in it only once. A partner sees the hashes of others, never their sums.

All hashes are SHA-256; the first byte says what is hashed, so that nothing of one kind can be taken for another. Texts and numbers are length-prefixed.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

LEAF: Final = b"\x00"
NODE: Final = b"\x01"
PARTY: Final = b"\x02"
RANGE: Final = b"\x03"
PERSONAL: Final = b"\x04"

HEAD_CONTEXT: Final = b"clh seal head 1\n"
MANIFEST_CONTEXT: Final = b"clh export manifest 1\n"
"""What is put before the bytes that are signed: a signature of one cannot be shown for the other."""

Body = Mapping[str, Any]


def canonical(value: Any) -> bytes:
    """One text for one content: JSON with sorted keys and without spaces, in UTF-8. No floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def prefixed(*parts: bytes) -> bytes:
    """Each part after its length in four bytes, so that no two lists of parts have the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def commitment(salt: bytes, personal: bytes) -> bytes:
    """Stands for what is said of a person. Once salt and data are gone nobody can find out what it stood for, and no hash above it changes."""
    return hashlib.sha256(PERSONAL + prefixed(salt, personal)).digest()


def leaf_hash(party: str, kind: str, key: str, body: bytes, committed: bytes) -> bytes:
    """The hash of one leaf: whose it is, what it is, its place in the order, what it says, and what stands for the person."""
    return hashlib.sha256(LEAF + prefixed(party.encode(), kind.encode(), key.encode(), body, committed)).digest()


def sums_of(party: str, kind: str, body: Body) -> dict[str, int]:
    """What a leaf adds to the sums above it.

    Every leaf counts as one of its kind. A line adds what it does to the party's net position, in minor units of its currency; the movements of an
    entry add their amounts by unit and code; an entry of an event counts by its outcome.
    """
    sums = {f"count/{kind}": 1}
    if kind == "line":
        sums[f"net/{body['currency']}"] = body["amount_minor"] * ((body["creditor"] == party) - (body["debtor"] == party))
    for code, *_, unit, amount in body.get("moves", ()):
        sums[f"moved/{unit}/{code}"] = sums.get(f"moved/{unit}/{code}", 0) + amount
    if "outcome" in body:
        sums[f"events/{body['outcome']}"] = 1
    return sums


@dataclass(frozen=True, slots=True)
class Summed:
    """A node of a party's tree: its hash, how many leaves lie below it, and the sums of what they add."""

    hash: bytes
    count: int
    sums: Mapping[str, int]

    def told(self) -> bytes:
        """The node as the one above it hashes it."""
        sums = (part.encode() for name, value in sorted(self.sums.items()) for part in (name, str(value)))
        return prefixed(self.hash, str(self.count).encode(), *sums)


def summed(left: Summed, right: Summed) -> Summed:
    """The node above two nodes of a party's tree."""
    sums = dict(left.sums)
    for name, value in right.sums.items():
        sums[name] = sums.get(name, 0) + value
    return Summed(hashlib.sha256(NODE + prefixed(left.told(), right.told())).digest(), left.count + right.count, sums)


@dataclass(frozen=True, slots=True)
class Ranged:
    """A node of the tree over the parties: its hash, and the first and last party below it."""

    hash: bytes
    first: str
    last: str

    def told(self) -> bytes:
        """The node as the one above it hashes it."""
        return prefixed(self.hash, self.first.encode(), self.last.encode())


def party_leaf(party: str, root: Summed) -> Ranged:
    """A party's whole tree as a leaf of the tree over the parties."""
    return Ranged(hashlib.sha256(PARTY + prefixed(party.encode(), root.told())).digest(), party, party)


def ranged(left: Ranged, right: Ranged) -> Ranged:
    """The node above two nodes of the tree over the parties. Raises ValueError unless all parties of the left come before those of the right."""
    if not left.last < right.first:
        raise ValueError(f"party {right.first} stands behind {left.last}")
    return Ranged(hashlib.sha256(RANGE + prefixed(left.told(), right.told())).digest(), left.first, right.last)


N = TypeVar("N")
Join = Callable[[N, N], N]


class Tree(Generic[N]):
    """A Merkle tree that grows leaf by leaf and keeps only the roots of its complete subtrees, one for each bit of their number.

    Its shape is that of RFC 6962: left of each node stands the largest complete subtree that leaves something for the right.
    """

    def __init__(self, join: Join[N]) -> None:
        self.join = join
        self.count = 0
        self._complete: list[N] = []

    def add(self, leaf: N) -> None:
        """One more leaf, at the end."""
        self.count += 1
        self._complete.append(leaf)
        size = self.count
        while size % 2 == 0:
            right = self._complete.pop()
            self._complete[-1] = self.join(self._complete[-1], right)
            size //= 2

    def root(self) -> N:
        """The root of all leaves so far. Raises ValueError where there are none."""
        if not self._complete:
            raise ValueError("a tree without leaves has no root")
        *rest, root = self._complete
        for left in reversed(rest):
            root = self.join(left, root)
        return root


def root_of(leaves: Iterable[N], join: Join[N]) -> N:
    """The root over some leaves."""
    tree: Tree[N] = Tree(join)
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def path_to(leaves: Sequence[N], index: int, join: Join[N]) -> list[N]:
    """The nodes beside the way from a leaf up to the root, the lowest first."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*path_to(leaves[:split], index, join), root_of(leaves[split:], join)]
    return [*path_to(leaves[split:], index - split, join), root_of(leaves[:split], join)]


def climb(leaf: N, index: int, count: int, path: Sequence[N], join: Join[N]) -> N:
    """The root that follows from a leaf at its place among `count` and the nodes beside its way up. Raises ValueError where they do not fit."""
    if not 0 <= index < count:
        raise ValueError(f"place {index} is not one of {count}")
    sides = list(_sides(index, count))
    if len(sides) != len(path):
        raise ValueError(f"the way up has {len(sides)} steps, the proof {len(path)}")
    node = leaf
    for beside, is_left in zip(path, sides, strict=True):
        node = join(beside, node) if is_left else join(node, beside)
    return node


def _split(count: int) -> int:
    """How many leaves stand left: the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _sides(index: int, count: int) -> Iterator[bool]:
    """For each step up, the lowest first, whether the node beside the way is the left one."""
    if count == 1:
        return
    split = _split(count)
    if index < split:
        yield from _sides(index, split)
        yield False
    else:
        yield from _sides(index - split, count - split)
        yield True


def head_of(programme: str, window: str, number: int, root: bytes, parties: int, run: Mapping[str, Any], previous: str | None, key: str) -> bytes:
    """The head of a seal, to be signed: the root over all parties, the run, the hash of the head before it, and the id of the key that signs it."""
    head = {"format": 1, "programme": programme, "window": window, "number": number, "root": root.hex(), "parties": parties, "run": run,
            "previous": previous, "key": key}  # fmt: skip
    return canonical(head)


def sha256(value: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(value).hexdigest()


def key_id(public: bytes) -> str:
    """What a key is called in what it signed: the first 16 digits of the SHA-256 of its 32 bytes."""
    return sha256(public)[:16]
