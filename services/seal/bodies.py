"""What stands in a row of the entries and in the bodies of its kinds, with nothing more and nothing less: fields in their order, texts and whole numbers."""

from __future__ import annotations

from typing import Any, Final

import msgspec

Move = tuple[int, str | None, str | None, str | None, str | None, str, int]
"""A movement: its pricing key in names (code, sponsor, contract, counterparty, its contract, unit), and how much."""


class Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line of the entries, as it is written and read. Its names are in their order."""

    body: msgspec.Raw
    committed: str
    key: str
    kind: str
    leaf: str
    party: str
    personal: msgspec.Raw
    salt: str | None


class Event(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The body of an entry, as it is written and read: of nearly all leaves, so it is not an object of anything."""

    code: str | None
    event_day: str | None
    id: str | None
    moves: msgspec.Raw
    outcome: str
    received: str
    sender: str | None
    source: str | None
    type: str | None


class Run(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a run."""

    previous_report_sha256: str | None
    programme_sha256: str
    report_sha256: str
    run: int
    window: str


class Basis(msgspec.Struct, forbid_unknown_fields=True):
    """What a line without totals rests on: a percent of lines, or what falls short of a minimum."""

    minimum_minor: str | msgspec.UnsetType = msgspec.UNSET
    of: list[tuple[int, str]] | msgspec.UnsetType = msgspec.UNSET
    paid_minor: str | msgspec.UnsetType = msgspec.UNSET
    percent: str | msgspec.UnsetType = msgspec.UNSET


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an obligation line."""

    amount_minor: int
    basis: Basis | None
    contract: str | None
    creditor: str
    currency: str
    debtor: str
    detail: str | None
    events: int | None
    kind: str
    line: int
    places: int
    quantity: int | None
    sources: list[tuple[int, str | None, str | None, str | None, str | None, str]]
    unit_price: str | None


class Attempt(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a new attempt at what had been refused."""

    attempt: int
    became: str
    code: str | None
    refused: str | None


class Night(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a row that the night wrote itself."""

    earned: str | None
    expiry: str | None
    moves: list[Move]


BODIES: Final[dict[str, Any]] = {"run": Run, "line": Line, "attempt": Attempt, "night": Night}
"""By kind. Entries are read apart, since nearly all rows are entries."""


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:40]} is no whole number")


anything: Final = msgspec.json.Decoder(float_hook=_no_float).decode
"""Reads any JSON; raises ValueError where a number is not whole."""


def unhex(text: str) -> bytes:
    """Bytes from hexadecimal digits as they are written here: small letters, nothing between them. Raises ValueError."""
    value = bytes.fromhex(text)
    if value.hex() != text:
        raise ValueError("no hexadecimal digits")
    return value
