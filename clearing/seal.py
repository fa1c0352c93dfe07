"""The seal of a window: what is hashed, in which order, and how a part of it is proved (docs/adr/0015-seal.md).

Each party has a tree of its own: what concerns it, in a fixed order, as leaves; inner nodes carry the sums and the number of what lies below them, so
nothing can be left out without its root changing. Above stands one tree over the parties, sorted by name; its nodes carry the first and the last party
below them, so a party can stand in it only once. A partner sees the hashes of others, never their sums.

All hashes are SHA-256; the first byte says what is hashed, so that nothing of one kind can be taken for another. Texts and numbers are length-prefixed.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

LEAF: Final = b"\x00"
NODE: Final = b"\x01"
PARTY: Final = b"\x02"
RANGE: Final = b"\x03"
PERSONAL: Final = b"\x04"
PAYMENTS: Final = b"\x05"

HEAD_CONTEXT: Final = b"clh seal head 1\n"
MANIFEST_CONTEXT: Final = b"clh export manifest 1\n"
"""What is put before the bytes that are signed: a signature of one cannot be shown for the other."""

KINDS: Final = ("run", "line", "entry", "attempt", "night")
"""The kinds of leaves, in the order in which they stand in a party's tree."""

Body = Mapping[str, Any]


canonical: Final = msgspec.json.Encoder(order="sorted").encode
"""One text for one content: JSON with sorted keys and without spaces, in UTF-8. For texts, whole numbers, and lists and objects of them: floats have more."""


_length: Final = struct.Struct(">I").pack


def prefixed(*parts: bytes) -> bytes:
    """Each part after its length in four bytes, so that no two lists of parts have the same bytes."""
    return b"".join([_length(len(part)) + part for part in parts])


@lru_cache(maxsize=1 << 16, typed=True)
def _prefixed(value: str | int) -> bytes:
    """A name or a number after its length. The same ones come again and again."""
    text = str(value).encode()
    return _length(len(text)) + text


@lru_cache(maxsize=1 << 12)
def _told_sums(names: tuple[str, ...]) -> tuple[bytes, Callable[[Mapping[str, int]], tuple[int, ...]]]:
    """How sums of these names are told: a form with a place for each value, and what takes the values in its order, that of the names."""
    ordered = sorted(names)
    form = b"".join(_prefixed(name).replace(b"%", b"%%") + b"%b" for name in ordered)
    return form, itemgetter(*ordered) if len(ordered) > 1 else lambda sums: tuple(sums[name] for name in ordered)


def sums_text(leaves: int, sums: Mapping[str, int]) -> bytes:
    """How many leaves lie below a node, and the sums of what they add, as the node above it hashes them."""
    form, values = _told_sums(tuple(sums))
    return _prefixed(leaves) + form % tuple(map(_prefixed, values(sums)))


def commitment(salt: bytes, personal: bytes) -> bytes:
    """Stands for what is said of a person. Once salt and data are gone nobody can find out what it stood for, and no hash above it changes."""
    return hashlib.sha256(b"".join((PERSONAL, _length(len(salt)), salt, _length(len(personal)), personal))).digest()


@lru_cache(maxsize=1 << 10)
def _leaf_front(party: str, kind: str) -> bytes:
    """How the leaves of one kind and party begin."""
    return LEAF + prefixed(party.encode(), kind.encode())


def leaf_hash(party: str, kind: str, key: str, body: bytes, committed: bytes) -> bytes:
    """The hash of one leaf: whose it is, what it is, its place in the order, what it says, and what stands for the person."""
    place = key.encode()
    parts = (_leaf_front(party, kind), _length(len(place)), place, _length(len(body)), body, _length(len(committed)), committed)
    return hashlib.sha256(b"".join(parts)).digest()


def sums_of(party: str, kind: str, body: Body) -> dict[str, int]:
    """What a leaf adds to the sums above it.

    Every leaf counts as one of its kind. A line adds what it does to the party's net position, in minor units of its currency; the movements of an
    entry add their amounts by unit and code; an entry of an event counts by its outcome.
    """
    sums = sums_of_moves(kind, body.get("outcome"), body.get("moves", ()))
    if kind == "line":
        sums[f"net/{body['currency']}"] = body["amount_minor"] * ((body["creditor"] == party) - (body["debtor"] == party))
    return sums


def sums_of_moves(kind: str, outcome: str | None, moves: Iterable[Sequence[Any]]) -> dict[str, int]:
    """The sums of a leaf from its outcome and its movements, each of which begins with its code and ends with unit and amount."""
    sums = {f"count/{kind}": 1}
    for move in moves:
        name = f"moved/{move[5]}/{move[0]}"
        sums[name] = sums.get(name, 0) + move[6]
    if outcome is not None:
        sums[f"events/{outcome}"] = 1
    return sums


class Added(NamedTuple):
    """What a leaf adds to the sums above it, and as it is hashed: of leaves that add the same it is made once."""

    sums: Mapping[str, int]
    text: bytes


def added(sums: Mapping[str, int]) -> Added:
    """What a leaf adds."""
    return Added(sums, sums_text(1, sums))


class Summed(NamedTuple):
    """A node of a party's tree: its hash, how many leaves lie below it, the sums of what they add, and these two as they are hashed."""

    hash: bytes
    leaves: int
    sums: Mapping[str, int]
    text: bytes

    def told(self) -> bytes:
        """The node as the one above it hashes it."""
        return _length(len(self.hash)) + self.hash + self.text


def summed_node(hashed: bytes, leaves: int, sums: Mapping[str, int]) -> Summed:
    """A node of a party's tree."""
    return Summed(hashed, leaves, sums, sums_text(leaves, sums))


def summed(left: Summed, right: Summed) -> Summed:
    """The node above two nodes of a party's tree."""
    ours, theirs = left.sums, right.sums
    if ours.keys() == theirs.keys():
        sums = {name: value + theirs[name] for name, value in ours.items()}
    else:
        sums = {**ours, **{name: value + ours.get(name, 0) for name, value in theirs.items()}}
    told, after = left.told(), right.told()
    hashed = hashlib.sha256(b"".join((NODE, _length(len(told)), told, _length(len(after)), after))).digest()
    return summed_node(hashed, left.leaves + right.leaves, sums)


class Ranged(NamedTuple):
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


def payments_leaf(party: str, payments: bytes) -> Ranged:
    """All payments of a party, as a leaf of the tree over the parties of a result."""
    return Ranged(hashlib.sha256(PAYMENTS + prefixed(party.encode(), payments)).digest(), party, party)


def ranged(left: Ranged, right: Ranged) -> Ranged:
    """The node above two nodes of the tree over the parties. Raises ValueError unless all parties of the left come before those of the right."""
    if not left.last < right.first:
        raise ValueError(f"party {right.first} stands behind {left.last}")
    return Ranged(hashlib.sha256(RANGE + prefixed(left.told(), right.told())).digest(), left.first, right.last)


def head_of(
    programme: str,
    window: str,
    number: int,
    root: bytes,
    parties: int,
    run: Mapping[str, Any],
    previous: str | None,
    key: str,
    signatures: str | None = None,
) -> bytes:
    """The head of a seal, to be signed: the root over all parties, the run, the hash of the head before it, and the id of the key that signs it.

    That of a settled window's result has the hash of the `signatures` of its run too; by it the two kinds are told apart.
    """
    head = {"format": 1, "programme": programme, "window": window, "number": number, "root": root.hex(), "parties": parties, "run": run,
            "previous": previous, "key": key}  # fmt: skip
    return canonical(head if signatures is None else head | {"signatures": signatures})


def sha256(value: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(value).hexdigest()


def key_id(public: bytes) -> str:
    """What a key is called in what it signed: the first 16 digits of the SHA-256 of its 32 bytes."""
    return sha256(public)[:16]
