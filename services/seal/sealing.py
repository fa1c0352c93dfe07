"""Seals windows: one transaction for each, so a run that dies leaves nothing behind, and what is sealed already is passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby, islice

import psycopg

from clearing.merkle import Tree
from clearing.seal import Ranged, party_leaf, ranged, summed
from services.explain.ledger import Ledger
from services.runtime.progress import Progress, silent
from services.seal import statements as sql
from services.seal.chain import close_link, lock_chain, next_link
from services.seal.errors import NotCleared
from services.seal.keys import Signer
from services.seal.leaves import Leaf, window_leaves

LEAVES_AT_ONCE = 2_000
WINDOWS = "windows sealed"
STEP = "entries of the window"


def seal_due(connection: psycopg.Connection, signer: Signer, *, through: date | None = None, progress: Progress = silent) -> list[date]:
    """Seals every window whose run stands and is not sealed, oldest first, up to `through`; returns their days. Twice is once.

    `connection` is in autocommit. A run that was made anew is sealed anew, behind the others: the chain keeps both.
    """
    days = []
    due = connection.execute(sql.DUE, (through,)).fetchall()
    for done, (day, *_) in enumerate(due):
        progress(WINDOWS, done, len(due))
        if seal_window(connection, day, signer, progress):
            days.append(day)
    progress(WINDOWS, len(due), len(due))
    return days


def seal_through(connection: psycopg.Connection, signer: Signer, day: date, progress: Progress = silent) -> list[date]:
    """Seals a window and those before it that are due. Raises `NotCleared` where it has no run that stands."""
    days = seal_due(connection, signer, through=day, progress=progress)
    if day not in days and connection.execute(sql.OF_DAY, {"day": day}).fetchone() is None:
        raise NotCleared(day)
    return days


def seal_window(connection: psycopg.Connection, day: date, signer: Signer, progress: Progress = silent) -> bool:
    """Seals the run of a window in one transaction; returns False where there is nothing to seal, because another process was here before."""
    with connection.transaction():
        lock_chain(connection)
        row = next((row for row in connection.execute(sql.DUE, (day,)) if row[0] == day), None)
        if row is None:
            return False
        _, run, report, previous_report = row
        ledger = Ledger(connection)
        programme = connection.execute(sql.PROGRAMME).fetchone()
        assert programme is not None
        link = next_link(connection)
        told = {"run": run, "report_sha256": report, "previous_report_sha256": previous_report, "programme_sha256": programme[0]}
        leaves = window_leaves(connection, ledger, day, {"window": day.isoformat(), **told})
        tree, count = _build(connection, link.number, leaves, progress)
        close_link(connection, link, signer, day, told, tree.root().hash, parties=tree.count, leaves=count)
    return True


def _build(connection: psycopg.Connection, number: int, leaves: Iterator[Leaf], progress: Progress) -> tuple[Tree[Ranged], int]:
    """The tree over the parties, and how many leaves lie below it; the leaves are kept on the way."""
    parties: Tree[Ranged] = Tree(ranged)
    count = 0
    for party, own in groupby(leaves, key=lambda leaf: leaf.party):
        tree = Tree(summed)
        place = 0
        while some := list(islice(own, LEAVES_AT_ONCE)):
            _keep(connection, number, place, some)
            for leaf in some:
                tree.add(leaf.node)
            place += len(some)
            count += len(some)
            progress(STEP, count, None)
        top = party_leaf(party, tree.root())
        connection.execute(sql.KEEP_PARTY, (number, party, place, top.hash))
        parties.add(top)
    return parties, count


def _keep(connection: psycopg.Connection, number: int, place: int, leaves: Iterable[Leaf]) -> None:
    with connection.cursor().copy(sql.KEEP_LEAVES) as copy:
        copy.set_types(sql.LEAF_TYPES)
        for at, leaf in enumerate(leaves, start=place):
            personal = None if leaf.personal is None else leaf.personal.decode()
            copy.write_row((number, leaf.party, at, leaf.kind, leaf.key, leaf.body.decode(), leaf.salt, personal, leaf.member, leaf.committed))
