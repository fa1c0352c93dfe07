"""What a run reads of a window, and changes nothing of: totals by two paths, balances at the close, counts of what came, events behind a line."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg

from clearing.checks import Balances, PartitionCount, balances_equal_lots
from clearing.entries import POINTS, PURCHASES, STAMPS, Code, Total
from clearing.lines import Obligation
from clearing.plan import Plan
from schemas.ids import PartyId
from services.journal.names import Names
from services.night import statements as sql

UNPRICED = (Code.STAMP, Code.STAMP_REVERSAL)


class WindowFigures:
    """The figures of a programme's windows, as the books have them."""

    def __init__(self, connection: psycopg.Connection, plan: Plan) -> None:
        """`plan`: of the programme whose books these are."""
        self.connection = connection
        self.plan = plan
        self.names = Names(connection)
        self._scanned: tuple[date, Sequence[Any]] | None = None

    def closing(self, day: date) -> dict[str, Any]:
        """What was measured when the window was closed. What did not agree then is measured again: somebody may have set it right since."""
        row = self.connection.execute(sql.CLOSING, (day,)).fetchone()
        if row is not None and balances_equal_lots(_balances(row[0])).ok:
            figures: dict[str, Any] = row[0]
            return figures
        return self.measured()

    def balances(self, day: date) -> Balances:
        """At the close."""
        return _balances(self.closing(day))

    def measured(self) -> dict[str, Any]:
        """Points of members, lots and holds now. Taken when a window is closed, before anything of the next one is booked, so that every run sees the same."""
        row = self.connection.execute(sql.BALANCES).fetchone()
        assert row is not None
        names = ("available", "pending", "held", "owed", "lots_available", "lots_pending", "open_holds")
        figures = dict(zip(names, row, strict=True)) | {"outstanding": dict(self.connection.execute(sql.OUTSTANDING).fetchall())}
        if self.plan.limited:
            figures["unfunded"] = sum(points for _, points in self.connection.execute(sql.WAIT))
        return figures

    def booked_totals(self, day: date) -> Sequence[Total]:
        """First path."""
        return [self._total(row) for row in self.connection.execute(sql.BOOKED_TOTALS, (day,))]

    def journal_totals(self, day: date) -> Sequence[Total]:
        """Second path."""
        self._scanned = None
        rows = [row[:8] for row in self._scan(day) if row[0] not in UNPRICED]
        rows += self.connection.execute(sql.PURCHASES, {"day": day, "purchases": self.names.unit[PURCHASES]}).fetchall()
        return [self._total(row) for row in rows]

    def _scan(self, day: date) -> Sequence[Any]:
        """The journal of a window by pricing key. Two checks ask for it one after the other: it is scanned once, when the window is closed."""
        if self._scanned is None or self._scanned[0] != day:
            units = {name: self.names.unit[name] for name in (POINTS, STAMPS, PURCHASES)}
            self._scanned = day, self.connection.execute(sql.JOURNAL, {"day": day, **units}).fetchall()
        return self._scanned[1]

    def _total(self, row: Sequence[Any]) -> Total:
        code, sponsor, contract, counterparty, counter_contract, unit, quantity, events = row
        names = self.names
        return Total(
            Code(code), names.party_id[sponsor], names.contract_from[contract], names.party_id[counterparty], names.contract_from[counter_contract],
            names.unit_id[unit], quantity, events,
        )  # fmt: skip

    def sums_by_unit(self, day: date) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Debits and credits of the window's journal."""
        debits: dict[str, int] = {}
        credited: dict[str, int] = {}
        for code, _, _, _, _, unit, whole, _, debit, credit in self._scan(day):
            name = self.names.unit_id[unit]
            for sums, right, side in ((debits, debit, "debited"), (credited, credit, "credited")):
                sums[name] = sums.get(name, 0) + right
                if right != whole:
                    astray = f"{name} {side} by code {code} to accounts or in a unit that it does not have"
                    sums[astray] = sums.get(astray, 0) + whole - right
        return debits, credited

    def partition_counts(self, day: date) -> Sequence[PartitionCount]:
        """By topic and partition."""
        return [PartitionCount(*row) for row in self.connection.execute(sql.PARTITIONS, (day,))]

    def fees_before(self, day: date) -> Mapping[tuple[PartyId, str], int]:
        """Fees of the month's earlier windows."""
        rows = self.connection.execute(sql.FEES_BEFORE, {"first": day.replace(day=1), "day": day, "operator": self.plan.operator})
        return {(party, currency): amount for party, currency, amount in rows}

    def count_events(self, day: date, lines: Sequence[Obligation]) -> Sequence[Obligation]:
        """Counts again, from the journal, where one event may stand behind several totals of a line."""
        keys: dict[str, list[Any]] = {name: [] for name in ("line", "code", "sponsor", "contract", "counterparty", "counter", "unit")}
        for no, line in enumerate(lines):
            if line.events_may_overlap:
                for total in line.sources:
                    for name, value in zip(keys, (no, *self.numbers(total)), strict=True):
                        keys[name].append(value)
        if not keys["line"]:
            return lines
        counted: dict[int, int] = dict(self.connection.execute(sql.DISTINCT, {**keys, "day": day}).fetchall())
        return [replace(line, events=counted.get(no, 0) or None) if line.events_may_overlap else line for no, line in enumerate(lines)]

    def numbers(self, total: Total) -> tuple[Any, ...]:
        """A pricing key in the numbers of the books: code, sponsor, contract version, counterparty, its contract version, unit."""
        names = self.names
        contract = names.contract[total.sponsor, total.contract] if total.sponsor and total.contract else None
        counter = names.contract[total.counterparty, total.counter_contract] if total.counterparty and total.counter_contract else None
        return int(total.code), names.party[total.sponsor], contract, names.party[total.counterparty], counter, names.unit[total.unit]


def _balances(figures: Mapping[str, int]) -> Balances:
    return Balances(figures["available"], figures["pending"], figures["held"], figures["lots_available"], figures["lots_pending"], figures["open_holds"])
