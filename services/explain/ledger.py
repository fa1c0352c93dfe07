"""What the explanations read: runs, obligation lines and totals of a window, with names instead of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

import psycopg

from clearing.entries import Code, Total
from clearing.lines import Claim, Line
from clearing.obligations import claims_of, priced_lines
from clearing.terms import Terms
from schemas.ids import PartyId
from schemas.report import SettlementReport
from services.journal.names import Names
from services.journal.programmes import load
from services.report.words import in_words

NEWEST = "select max(day) from run"
REPORT = "select report from run where day = %s order by no desc limit 1"
LINES = """
select day, line, kind, detail, debtor, creditor, currency, quantity, unit_price, amount, events, contract, sources from obligation
where day >= %s and day <= %s order by day, line
"""
DEFAULTED = "select distinct day from window_move where event = 'unpaid_at_deadline' and day between %s and %s order by day"
TOTALS = """
select code, sponsor, contract, counterparty, counter_contract, unit, sum(quantity)::bigint, sum(events)::bigint from total where day = %s
group by code, sponsor, contract, counterparty, counter_contract, unit
"""
CARRIED_BEFORE = """
select day, currency, party, amount, since from carried where day = (select max(day) from settlement_window where day < %s) order by currency, party
"""
FEES_BEFORE = """
select party, currency, sum(amount)::bigint from (
  select case when creditor = %(operator)s then debtor else creditor end party, currency, case when creditor = %(operator)s then amount else -amount end amount
  from obligation where day >= %(first)s and day < %(day)s and kind = 'fee' and detail <> 'monthly_minimum'
) fees group by party, currency
"""


class NotExplained(LookupError):
    """What is asked about is not in the books; the sentence says what is missing, `command` where to look."""

    def __init__(self, sentence: str, command: str | None = None) -> None:
        super().__init__(sentence)
        self.command = command


class Key(NamedTuple):
    """A pricing key in numbers of the names tables, as `obligation.sources` keeps them."""

    code: int
    sponsor: int | None
    contract: int | None
    counterparty: int | None
    counter_contract: int | None
    unit: int


@dataclass(frozen=True, slots=True)
class Carried:
    """A position that a window carried on, in minor units: positive is owed to the party. It waits since the window `since`."""

    day: date
    currency: str
    party: PartyId
    amount_minor: int
    since: date


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One obligation line as it was kept."""

    day: date
    line: int
    kind: str
    detail: str | None
    debtor: PartyId
    creditor: PartyId
    currency: str
    quantity: int | None
    unit_price: Decimal | None
    amount_minor: int
    events: int | None
    contract: date | None
    sources: tuple[Key, ...]

    def signed(self, party: PartyId) -> int:
        """What the line does to a party's position: plus what it gets, minus what it owes."""
        return (self.creditor == party) * self.amount_minor - (self.debtor == party) * self.amount_minor

    @property
    def name(self) -> str:
        """Kind of line and, of fees, which, in the words of the report."""
        return in_words(self.kind, self.detail)


class Ledger:
    """One programme's books, to be read by day."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.names = Names(connection)
        self.file = load(connection)
        self.terms = Terms(self.file)
        self._lines: dict[date, list[StoredLine]] = {}
        self._priced: dict[date, tuple[Line, ...]] = {}
        self._totals: dict[date, list[Total]] = {}

    @cached_property
    def operator(self) -> PartyId:
        """The programme's operator."""
        return self.file.programme.operator.party

    def day(self, wanted: date | None) -> date:
        """The window asked for, or the newest that was cleared. Raises `NotExplained`."""
        row = self.connection.execute(NEWEST).fetchone()
        day = wanted or (row[0] if row is not None else None)
        if day is None:
            raise NotExplained("no window was cleared yet", "clh window list")
        return day

    def report(self, day: date) -> SettlementReport:
        """The report of the newest run of a window. Raises `NotExplained` where it was not cleared."""
        row = self.connection.execute(REPORT, (day,)).fetchone()
        if row is None:
            raise NotExplained(f"the window {day} was not cleared", "clh window list")
        return SettlementReport.model_validate_json(row[0])

    def lines(self, day: date) -> list[StoredLine]:
        """The obligation lines of a window; a line's number is its place."""
        if day not in self._lines:
            self._lines[day] = self.lines_between(day, day)
        return self._lines[day]

    def lines_between(self, first: date, last: date) -> list[StoredLine]:
        """The obligation lines of several windows."""
        rows: Sequence[Any] = self.connection.execute(LINES, (first, last)).fetchall()
        return [_stored(row) for row in rows]

    def defaulted(self, first: date, last: date) -> list[date]:
        """The windows among several in which a party has defaulted."""
        return [day for (day,) in self.connection.execute(DEFAULTED, (first, last))]

    def line(self, day: date, number: int) -> StoredLine:
        """One line. Raises `NotExplained` where there is none of that number."""
        lines = self.lines(day)
        if not 0 <= number < len(lines):
            known = f"its lines are 0 to {len(lines) - 1}" if lines else "it has none"
            raise NotExplained(f"the window {day} has no obligation line {number}: {known}")
        return lines[number]

    def totals(self, day: date) -> list[Total]:
        """What booking added up: the first path to the obligations."""
        if day not in self._totals:
            self._totals[day] = [self.total(Key(*row[:6]), row[6], row[7]) for row in self.connection.execute(TOTALS, (day,))]
        return self._totals[day]

    def total(self, key: Key, quantity: int, events: int) -> Total:
        """A total under a key of numbers."""
        names = self.names
        return Total(
            Code(key.code), names.party_id[key.sponsor], names.contract_from[key.contract], names.party_id[key.counterparty],
            names.contract_from[key.counter_contract], names.unit_id[key.unit], quantity, events,
        )  # fmt: skip

    def claims(self, day: date) -> list[Claim]:
        """What each total brought about, exactly, before anything was gathered and rounded."""
        return [claim for total in self.totals(day) for claim in claims_of(total, self.terms) if claim.stands]

    def priced(self, day: date) -> tuple[Line, ...]:
        """The window's lines, priced again by the programme file; in the order of their numbers."""
        if day not in self._priced:
            values: dict[str, Any] = {"operator": self.operator, "first": day.replace(day=1), "day": day}
            before = {(PartyId(party), currency): amount for party, currency, amount in self.connection.execute(FEES_BEFORE, values)}
            self._priced[day] = priced_lines(day, self.file, self.totals(day), before)
        return self._priced[day]

    def carried_before(self, day: date) -> list[Carried]:
        """What the window before carried forward; nothing before the first window."""
        return [Carried(*row) for row in self.connection.execute(CARRIED_BEFORE, (day,))]


def _stored(row: Sequence[Any]) -> StoredLine:
    day, line, kind, detail, debtor, creditor, currency, quantity, unit_price, amount, events, contract, sources = row
    keys = tuple(Key(*key) for key in sources)
    return StoredLine(day, line, kind, detail, debtor, creditor, currency, quantity, unit_price, amount, events, contract, keys)
