"""The chain of the seals: each head names the hash of the one before it, and is signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from clearing.seal import HEAD_CONTEXT, head_of, key_id, sha256
from services.journal.programmes import load
from services.seal import statements as sql
from services.seal.keys import Signer


@dataclass(frozen=True, slots=True)
class Link:
    """The place of a new head: its number, and the hash of the head before it."""

    number: int
    previous: str | None


def lock_chain(connection: psycopg.Connection) -> None:
    """One seal at a time, until the end of the transaction."""
    connection.execute(sql.LOCK_CHAIN)


def next_link(connection: psycopg.Connection) -> Link:
    """Where the next head goes; the chain is locked."""
    last = connection.execute(sql.LAST_HEAD).fetchone()
    return Link(last[0] + 1, last[1]) if last else Link(1, None)


def close_link(
    connection: psycopg.Connection,
    link: Link,
    signer: Signer,
    day: date,
    run: Mapping[str, Any],
    root: bytes,
    *,
    parties: int,
    leaves: int,
    signatures: str | None = None,
) -> None:
    """Signs and keeps a head: of a window's entries, or, with the hash of the `signatures` of its run, of its result."""
    programme = load(connection).programme.id
    head = head_of(programme, day.isoformat(), link.number, root, parties, run, link.previous, key_id(signer.public), signatures)
    signature = signer.sign(HEAD_CONTEXT + head)
    values = (link.number, day, run["run"], root, leaves, head.decode(), sha256(head), key_id(signer.public), signature, signatures is not None)
    connection.execute(sql.KEEP_SEAL, values)
