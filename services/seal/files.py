"""What the files of an export hold, apart from the entries: fields of these names and types, and no other. Reading raises `msgspec.ValidationError`."""

from __future__ import annotations

from typing import Any

import msgspec

from clearing.seal import Ranged
from schemas.money import is_currency
from services.seal.bodies import unhex


class Node(msgspec.Struct, forbid_unknown_fields=True):
    """A node beside the way up."""

    first: str
    hash: str
    last: str


class Way(msgspec.Struct, forbid_unknown_fields=True):
    """A party's place in the tree over the parties, and the nodes beside its way up."""

    index: int
    path: list[Node]

    def beside(self) -> list[Ranged]:
        """The nodes, the lowest first. Raises ValueError where a hash is none."""
        return [Ranged(unhex(node.hash), node.first, node.last) for node in self.path]


class Proof(msgspec.Struct, forbid_unknown_fields=True):
    """`proof.json`."""

    paths: dict[str, Way]


class File(msgspec.Struct, forbid_unknown_fields=True):
    """What the manifest says of a file."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """`manifest.json`."""

    files: dict[str, File]
    format: int
    head_sha256: str
    key: str
    party: str
    programme: str
    window: str


class RunOfHead(msgspec.Struct, forbid_unknown_fields=True):
    """The run that a head names; that of a result names neither the programme file nor the report before it."""

    report_sha256: str
    run: int
    previous_report_sha256: str | msgspec.UnsetType | None = msgspec.UNSET
    programme_sha256: str | msgspec.UnsetType = msgspec.UNSET


class Head(msgspec.Struct, forbid_unknown_fields=True):
    """The head of a seal: of a window's entries, or, with the hash of its signatures, of its result."""

    format: int
    key: str
    number: int
    parties: int
    previous: str | None
    programme: str
    root: str
    run: RunOfHead
    window: str
    signatures: str | msgspec.UnsetType = msgspec.UNSET


class Link(msgspec.Struct, forbid_unknown_fields=True):
    """A line of `chain.jsonl`."""

    head: Head
    signature: str


class Payment(msgspec.Struct, forbid_unknown_fields=True):
    """A payment as a result tells it."""

    amount_minor: int
    confirmed_minor: int
    currency: str
    id: str
    kind: str
    payee: str
    payer: str
    state: str
    statements: list[str]
    value_date: str

    @property
    def can_be(self) -> bool:
        """Whether anybody could have made it: something, in a currency, to another."""
        return self.amount_minor > 0 and is_currency(self.currency) and self.payer != self.payee


def read_as(shape: Any, value: Any) -> Any:
    """A parsed value as what it should be."""
    return msgspec.convert(value, shape)
