"""Exports what was sealed of a party, or, for the operator, of all: with everything that proves it to somebody who has nothing but a public key."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from clearing.merkle import path_to
from clearing.seal import MANIFEST_CONTEXT, Added, Ranged, canonical, key_id, payments_leaf, ranged, sha256
from services.journal.programmes import load
from services.runtime.progress import Progress, silent
from services.seal import container
from services.seal import statements as sql
from services.seal.blocks import NULL
from services.seal.bodies import Row
from services.seal.container import CHAIN, ENTRIES, MANIFEST, PROOF, RESULT, SIGNATURE, STATEMENT
from services.seal.errors import NoSuchParty, NotSealed
from services.seal.keys import Signer
from services.seal.leaves import ROWS_AT_ONCE, Leaf

STEP = "export"
UNSUMMED = Added({}, b"")
"""An export has no use for what the leaves add: it needs no node above them."""
UNDERIVED = ("sources", "basis")
"""What a sealed line says beyond the statement."""
SAYS_NOTHING_OF_PERSONS = ("run", "line")


def export(connection: psycopg.Connection, day: date, party: str, signer: Signer, target: Path, progress: Progress = silent) -> str:
    """Writes the export of a party and window into a new or existing file; returns the hash of the last head in it.

    That is the head of the window's result once that is sealed, before it that of the window. A partner gets its own leaves, and what is said of persons
    only where it was the sender; the operator gets all leaves of the window.
    Raises `NotSealed` and `NoSuchParty`. In one snapshot, so that nobody is erased from half of it.
    """
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        row = connection.execute(sql.OF_DAY, {"day": day}).fetchone()
        if row is None:
            raise NotSealed(day)
        number, head = row[0], json.loads(row[1])
        settled = connection.execute(sql.RESULT_OF, (row[2],)).fetchone()
        last, last_head = (settled[0], settled[1]) if settled else (number, row[1])
        tops = [Ranged(hashed, name, name) for name, hashed in connection.execute(sql.PARTIES, (number,))]
        if party not in (known := [top.first for top in tops]):
            raise NoSuchParty(party, known)
        everything = party == load(connection).programme.operator.party
        shown = known if everything else [party]
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as folder:
            entries = Path(folder) / ENTRIES
            lines = _write_entries(entries, stored_leaves(connection, number, None if everything else party), party, progress, everything=everything)
            members: dict[str, Path | bytes] = {
                STATEMENT: canonical(statement(head, party, lines)),
                ENTRIES: entries,
                PROOF: canonical({"paths": {name: _path(tops, known.index(name)) for name in shown}}),
                CHAIN: b"".join(_chain_line(*row) for row in connection.execute(sql.CHAIN, (last,))),
                RESULT: canonical(result(json.loads(settled[2]), shown) if settled else None),
            }
            members |= _signed(members, head, party, sha256(last_head.encode()), signer)
            whole = Path(folder) / "export"
            container.write(whole, members)
            whole.replace(target)
    return sha256(last_head.encode())


def stored_leaves(connection: psycopg.Connection, number: int, party: str | None) -> Iterator[Leaf]:
    """The leaves of a seal as they were kept, in their order; of one party or of all."""
    with connection.cursor("sealed_leaves") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        for owner, kind, key, body, committed, salt, personal in cursor.execute(sql.LEAVES, {"seal": number, "party": party}, binary=True):
            yield Leaf(owner, kind, key, body.encode(), committed, salt, None if personal is None else personal.encode(), UNSUMMED)


def _write_entries(target: Path, leaves: Iterable[Leaf], party: str, progress: Progress, *, everything: bool) -> list[dict[str, Any]]:
    """Writes a line for each leaf; returns the obligation lines of the party among them."""
    lines = []
    with target.open("wb") as file:
        for done, leaf in enumerate(leaves, start=1):
            if leaf.kind == "line" and leaf.party == party:
                lines.append(json.loads(leaf.body))
            disclosed = everything or leaf.kind in SAYS_NOTHING_OF_PERSONS or json.loads(leaf.body).get("sender") == party
            file.write(canonical(told(leaf, disclosed=disclosed)) + b"\n")
            if done % ROWS_AT_ONCE == 0:
                progress(STEP, done, None)
    return lines


def told(leaf: Leaf, *, disclosed: bool) -> Row:
    """A leaf as an export tells it, in the bytes that were kept. What is not disclosed looks like what was erased: only what stands for it is there."""
    open_ = disclosed and leaf.salt is not None and leaf.personal is not None
    return Row(
        party=leaf.party, kind=leaf.kind, key=leaf.key, body=msgspec.Raw(leaf.body), committed=leaf.committed.hex(),
        salt=leaf.salt.hex() if open_ and leaf.salt else None, personal=msgspec.Raw(leaf.personal if open_ and leaf.personal else NULL),
        leaf=leaf.node.hash.hex(),
    )  # fmt: skip


def statement(head: Mapping[str, Any], party: str, lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What a party is told that it gets and owes: its lines in their order, and its net position of each currency in minor units."""
    net: dict[str, int] = {}
    for line in lines:
        signed = line["amount_minor"] if line["creditor"] == party else -line["amount_minor"]
        net[line["currency"]] = net.get(line["currency"], 0) + signed
    return {
        "format": 1, "programme": head["programme"], "window": head["window"], "party": party, "report_sha256": head["run"]["report_sha256"],
        "lines": [{name: value for name, value in line.items() if name not in UNDERIVED} for line in lines], "net_minor": net,
    }  # fmt: skip


def result(content: Mapping[str, Any], shown: Iterable[str]) -> dict[str, Any]:
    """What a sealed result tells somebody who may see the payments of some parties: these with their proof, and who signed."""
    payments = content["payments"]
    names = sorted(payments)
    tops = [payments_leaf(name, canonical(payments[name])) for name in names]
    return {
        "signatures": content["signatures"],
        "payments": {name: payments[name] for name in shown},
        "paths": {name: _path(tops, names.index(name)) for name in shown},
    }


def _path(tops: list[Ranged], index: int) -> dict[str, Any]:
    beside = path_to(tops, index, ranged)
    return {"index": index, "path": [{"hash": node.hash.hex(), "first": node.first, "last": node.last} for node in beside]}


def _chain_line(head: str, signature: bytes) -> bytes:
    return canonical({"head": json.loads(head), "signature": signature.hex()}) + b"\n"


def _signed(members: Mapping[str, Path | bytes], head: Mapping[str, Any], party: str, head_sha256: str, signer: Signer) -> dict[str, Path | bytes]:
    """The manifest over the bytes of the other members, and its signature."""
    files = {
        name: {"bytes": len(content), "sha256": sha256(content)}
        if isinstance(content, bytes)
        else {"bytes": content.stat().st_size, "sha256": container.sha256_of(content)}
        for name, content in members.items()
    }
    key = key_id(signer.public)
    manifest = canonical(
        {"format": 1, "programme": head["programme"], "window": head["window"], "party": party, "head_sha256": head_sha256, "key": key, "files": files}
    )
    signature = signer.sign(MANIFEST_CONTEXT + manifest)
    return {MANIFEST: manifest, SIGNATURE: f"{sha256(manifest)} {signature.hex()}\n".encode()}
