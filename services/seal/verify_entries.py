"""The entries of an export, block by block: where there are many, on all processors; memory does not grow with their number."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from clearing.merkle import Tree
from clearing.seal import Summed, summed
from clearing.sealed_lines import Key, Totals
from services.runtime.progress import Progress
from services.seal.blocks import BEHIND, LEAVES, Block, check, misplaced, party_of
from services.seal.container import ENTRIES, Archive
from services.seal.verdict import Verdict

STEP: Final = "verify"
SPAWN: Final = multiprocessing.get_context("spawn")
ALONE_BYTES_MAX: Final = 16 << 20
"""Entries that are no larger are read before other processes would have started."""


@dataclass(slots=True)
class Entries:
    """What the entries say, by party: the root of its tree, its lines by number, its runs; and all totals."""

    roots: dict[str, Summed] = field(default_factory=dict)
    lines: dict[str, dict[int, Any]] = field(default_factory=dict)
    runs: dict[str, list[Any]] = field(default_factory=dict)
    totals: Totals = field(default_factory=dict)
    events: Totals = field(default_factory=dict)
    topics: dict[str, set[tuple[int, str]]] = field(default_factory=dict)


def read_entries(archive: Archive, entries: Entries, verdict: Verdict, progress: Progress) -> None:
    """Reads all entries into `entries`, and notes what is wrong with them."""
    before: Block | None = None
    tree: Tree[Summed] = Tree(summed)
    for block in _checked(archive):
        if before is None or before.party != block.party:
            tree = Tree(summed)
        _join(entries, verdict, tree, before, block)
        if tree.count:
            entries.roots[block.party] = tree.root()
        before = block
        progress(STEP, verdict.entries, None)
    if not archive.ends_with_newline(ENTRIES):
        verdict.wrong(ENTRIES, "its last line has no end")


def _checked(archive: Archive) -> Iterator[Block]:
    """The blocks in their order."""
    blocks = _blocks(archive)
    if archive.members[ENTRIES].size <= ALONE_BYTES_MAX or (os.cpu_count() or 1) == 1:
        yield from map(check, blocks)
        return
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, mp_context=SPAWN) as pool:
        waiting: deque[Future[Block]] = deque()
        for block in blocks:
            waiting.append(pool.submit(check, block))
            if len(waiting) > 2 * workers:  # no more are read ahead: memory does not grow
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _blocks(archive: Archive) -> Iterator[tuple[int, bytes]]:
    """Rows of one party, each time as many as a complete subtree has leaves, with the number of the first.

    Where the last row is of the party of the first, so are those between, or they stand among those of another party, which is found when they are read.
    """
    rows = archive.lines(ENTRIES)
    number, some = 1, list(islice(rows, LEAVES))
    while some:
        party, size = party_of(some[0]), len(some)
        if party_of(some[-1]) != party:
            size = next(at for at, row in enumerate(some) if party_of(row) != party)
        yield number, b"\n".join(some[:size])
        number += size
        some = [*some[size:], *islice(rows, size)]


def _join(entries: Entries, verdict: Verdict, tree: Tree[Summed], before: Block | None, block: Block) -> None:
    """Puts what a block came to behind what is there."""
    party = block.party
    if before is not None and block.first is not None:
        place, entry = block.first
        if party < before.party:
            verdict.wrong(ENTRIES, BEHIND, entry)
        elif party == before.party and before.last is not None and (why := misplaced(before.last, place)):
            verdict.wrong(ENTRIES, why, entry)
    seen = entries.topics.setdefault(party, set())
    going_on = before.last[:2] if before is not None and before.party == party and before.last is not None else None
    for topic, entry in block.topics.items():
        if topic in seen and topic != going_on:
            verdict.wrong(ENTRIES, BEHIND, entry)
    seen |= block.topics.keys()
    verdict.add(*block.problems)
    verdict.entries += block.tree.count
    verdict.lines += len(block.lines)
    for height, node in block.tree.complete:
        tree.add(node, height)
    for names, amount in block.totals.items():
        key = party, Key(*names)
        entries.totals[key] = entries.totals.get(key, 0) + amount
    for names, number in block.events.items():
        key = party, Key(*names)
        entries.events[key] = entries.events.get(key, 0) + number
    if block.lines:
        own = entries.lines.setdefault(party, {})
        for number, body in block.lines.items():
            own.setdefault(number, body)
    if block.runs:
        entries.runs.setdefault(party, []).extend(block.runs)
