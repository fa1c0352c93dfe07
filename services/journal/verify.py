"""`clh ledger verify`: recomputes from the journal what the books keep beside it, and says what differs.

Everything is added up by the database, in one snapshot, so it can run while processors book. Two figures cannot be recomputed exactly, because the
journal holds no row for them, and are held to their bounds instead: expired points that a return forgot (rule 14), and the stamps of a card that
lapses after some months.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from clearing.entries import POINTS, PURCHASES, STAMPS, Code
from clearing.limits import limits_of
from clearing.mechanics.round_up import match_limits
from schemas.mechanics import Pass, RoundUp, StampCard
from schemas.programme import ProgrammeFile
from services.journal import recompute as sql
from services.journal.corrections import FIRST_ENTRY
from services.journal.migrate import READER_ROLE, connect
from services.journal.names import Names
from services.journal.programmes import NoProgramme, load
from services.journal.reading import GIVEN_CODES
from services.runtime.progress import Progress, silent

LIMITED_CODES = (*GIVEN_CODES, Code.ROUND_UP, Code.ROUND_UP_MATCH)
"""What counts towards limits."""
NAMED_MAX = 100
"""So many differences of one kind are named unless told otherwise; how many there are is always said."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that is not what the journal says. `place` says which: a lot, a debt's bearer, a mechanic, a row of the journal."""

    what: str
    member: str | None
    place: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Verified:
    """One kind of figure: how many were recomputed, how many differ, and the first of those that do."""

    what: str
    examined: int
    differing: int
    differences: tuple[Difference, ...]


def verify(uri: str, schema: str, *, named_max: int = NAMED_MAX, progress: Progress = silent) -> list[Verified]:
    """Recomputes all kinds of figures of one programme's books. Raises `NoProgramme` where there are none.

    Lots and balances (available, pending, held, owed) by member, debts by bearer, holds, stamps, cash-back and savings, visits on passes, the use of limits;
    that each row's accounts follow its code, that each row has an accepted entry, that each correction
    belongs to something, and that the totals of booking are those of the journal.
    """
    with connect(uri, schema, role=READER_ROLE) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("set local work_mem to '256MB'")
        if connection.execute("select to_regclass('programme')").fetchone() == (None,):
            raise NoProgramme
        return list(verified(connection, named_max=named_max, progress=progress))


def verified(connection: psycopg.Connection, *, named_max: int = NAMED_MAX, progress: Progress = silent) -> Iterator[Verified]:
    """The same on a connection, in its transaction, kind by kind."""
    names = Names(connection)
    file = load(connection)
    lapsing = sorted({mechanic.id for mechanic in file.mechanics if isinstance(mechanic, StampCard) and mechanic.months is not None})
    passes = sorted({mechanic.id for mechanic in file.mechanics if isinstance(mechanic, Pass)})
    values = {**{unit: names.unit[unit] for unit in (POINTS, STAMPS, PURCHASES)}, "lapsing": lapsing, "passes": passes, "named_max": named_max, **_limits(file)}
    values["first_entry"] = FIRST_ENTRY
    for done, (what, compared) in enumerate(sql.COMPARED.items()):
        progress(what, 0, 1)
        counted = connection.execute(sql.count(compared), values).fetchone()
        assert counted is not None
        examined, differing = counted
        rows = connection.execute(sql.named(compared), values).fetchall() if differing else []
        yield Verified(what, examined, differing, tuple(Difference(what, *row) for row in rows))
        progress(what, 1, 1)
        progress("verify the ledger", done + 1, len(sql.COMPARED))


def _limits(file: ProgrammeFile) -> dict[str, list[Any]]:
    """The limits of all mechanics, column by column; and the codes of what counts against them."""
    currency = file.programme.currencies[0]
    every = [(entry, whose, limits_of(entry, whose, currency), False) for entry in file.mechanics for whose in ("member", "programme")]
    every += [(entry, "member", match_limits(entry.id, entry.match, currency), True) for entry in file.mechanics if isinstance(entry, RoundUp) and entry.match]
    rows = [
        (entry.id, prefix, per, measure, whose, matched, entry.valid_from, entry.valid_to or date.max)
        for entry, whose, limits, matched in every
        for prefix, per, measure in (limits.terms if limits is not None else ())
    ]
    names = ("limited", "prefixes", "pers", "measures", "ofs", "matches", "froms", "tos")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)} | {"given": [int(code) for code in LIMITED_CODES]}
