"""`clh explain event`: a record from Kafka through its entry and transfers to the lines it counts in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from clearing.entries import POINTS, PURCHASES, Code
from clearing.erasure import stand_in
from clearing.plan import Plan
from schemas.ids import PartyId, RecordId
from services.accrual.incoming import place_of, record_id
from services.explain import statements as sql
from services.explain.accounts import AccountNames
from services.explain.equations import Equation, amounts, counts
from services.explain.ledger import Key, Ledger, NotExplained
from services.explain.working import REWARDED, Rewarded, Working, workings
from services.journal.reading import applied_of

PLACE = re.compile(r"(?P<topic>[^/]+)/(?P<partition>\d{1,5})/(?P<offset>\d{1,12})")
GIVES = {
    **dict.fromkeys((Code.ACCRUAL, Code.UNFUNDED, Code.REDEMPTION_REVERSAL, Code.RETURN_SPENT_REVERSAL), 1),
    **dict.fromkeys((Code.REDEMPTION, Code.RETURN_UNSPENT, Code.UNFUNDED_REVERSAL, Code.RETURN_SPENT), -1),
}
"""What an answer counts as points, and its sign; repayments and holds are no effects."""
PAYS = {
    **dict.fromkeys((Code.DISCOUNT, Code.REWARD, Code.CASH_BACK, Code.ROUND_UP, Code.ROUND_UP_MATCH, Code.PRIVILEGE, Code.PASS), 1),
    **dict.fromkeys(
        (
            Code.DISCOUNT_REVERSAL,
            Code.REWARD_REVERSAL,
            Code.CASH_BACK_REVERSAL,
            Code.ROUND_UP_MATCH_REVERSAL,
            Code.PRIVILEGE_REVERSAL,
            Code.PASS_REVERSAL,
        ),
        -1,
    ),
}
"""The same of amounts."""


@dataclass(frozen=True, slots=True)
class TransferPart:
    """One row of the journal, with the lines of its window that rest on it."""

    line: int
    code: str
    amount: int
    unit: str
    debit: str
    credit: str
    mechanic: str | None
    contract: str | None
    counter_contract: str | None
    lot: str | None
    counts_in: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CountedIn:
    """What an event adds to an obligation line."""

    day: date
    line: int
    kind: str
    detail: str | None
    name: str
    debtor: PartyId
    creditor: PartyId
    quantity: int
    unit: str


@dataclass(frozen=True, slots=True)
class AttemptPart:
    """A new attempt at a refused event (`clh dlq replay`): why it had been refused, what became of it, and why it was refused again."""

    no: int
    at: datetime
    by_whom: str
    window: date
    before: str
    outcome: str
    code: str | None


@dataclass(frozen=True, slots=True)
class EventExplained:
    """One record and what became of it."""

    record: int
    topic: str
    partition: int
    offset: int
    received_at: datetime
    window: date
    booked: date | None
    outcome: str
    code: str | None
    detail: str | None
    pointer: str | None
    type: str | None
    source: str | None
    id: str | None
    party: str | None
    member: str | None
    card: str | None
    event_day: date | None
    answer: dict[str, Any]
    original: str | None
    transfers: tuple[TransferPart, ...]
    counted_in: tuple[CountedIn, ...]
    attempts: tuple[AttemptPart, ...]
    equations: tuple[Equation, ...]
    workings: tuple[Working, ...] = ()
    """Of an accepted purchase or card transaction: how the figures of its answer were worked out."""
    claim_until: date | None = None
    """Of a held event: the last window in which its card can be enrolled for it."""
    erased: tuple[str, ...] = ()
    """What stands in it, or in its answer, for people who were erased since it came; what identified them, and in their own events described them, is gone."""


def records_of(ledger: Ledger, event_id: str, source: str | None = None) -> list[int]:
    """The records that own an id, one for each sender that used it."""
    return [record for record, _ in ledger.connection.execute(sql.OWNERS, (event_id, source, source))]


def find_records(ledger: Ledger, name: str, source: str | None = None) -> list[int]:
    """The records that an id, or a place `topic/partition/offset`, names. Raises `NotExplained` where there is none."""
    place = PLACE.fullmatch(name)
    if place is not None:
        topic = ledger.names.topic.get(place["topic"].removeprefix(f"{ledger.file.programme.id}."))
        if topic is None:
            raise NotExplained(f"{place['topic']} is no topic that is booked from")
        return [record_id(topic, int(place["partition"]), int(place["offset"]))]
    records = records_of(ledger, name, source)
    if not records:
        raise NotExplained(f"no booked event has the id {name}; look for it in Kafka", f"clh events trace {name}")
    return records


def explain_event(ledger: Ledger, record: int) -> EventExplained:
    """The entry of a record. Raises `NotExplained` where it has none: it is a duplicate, or not booked yet."""
    row = ledger.connection.execute(sql.ENTRY, (record,)).fetchone()
    if row is None:
        raise NotExplained(f"the record {place_name(ledger, record)} has no entry")
    (
        _,
        day,
        booked,
        outcome,
        kind,
        source,
        event_id,
        party,
        contract,
        member,
        card,
        event_day,
        received_at,
        code,
        detail,
        pointer,
        answer,
        body,
        raw,
        applied,
    ) = row
    rows = ledger.connection.execute(sql.TRANSFERS, (record,)).fetchall()
    keys = [Key(each[2], each[8], each[9], each[10], each[11], each[4]) for each in rows]
    if outcome == "accepted" and kind == "purchase.v1":
        keys.append(Key(int(Code.PURCHASE), party, contract, None, None, ledger.names.unit[PURCHASES]))
    in_lines = _lines_of(ledger, booked, keys)
    topic, partition, offset = place_of(record)
    names = AccountNames(ledger, rows)
    told = json.loads(answer)
    sender = ledger.names.party_id.get(party)
    worked: Iterable[Working] = ()
    if outcome == "accepted" and kind in REWARDED and body is not None and sender is not None:
        standing = ledger.connection.execute(sql.STANDING, (record,)).fetchone() or (False, False)
        names_applied = applied_of(applied)
        known = frozenset(names_applied) if names_applied is not None else None
        worked = workings(Plan(ledger.file), Rewarded(RecordId(record), received_at, sender, body, told.get("effects", ()), known, *standing))
    erased = ledger.connection.execute(sql.ERASED, {"member": member, "text": f"{body} {answer}"}).fetchall()
    return EventExplained(
        record, f"{ledger.file.programme.id}.{ledger.names.topic_name[topic]}", partition, offset, received_at, day, booked, outcome, code, detail, pointer,
        kind, ledger.names.source_uri.get(source), event_id, sender, names.member_id(member), card, event_day, told,
        body if body is not None else raw.decode("utf-8", "replace") if raw is not None else None,
        tuple(_transfer(ledger, names, each, lines) for each, lines in zip(rows, in_lines, strict=False)),
        tuple(_counted(ledger, booked, rows, in_lines)),
        tuple(AttemptPart(*attempt) for attempt in ledger.connection.execute(sql.ATTEMPTS, (record,))), tuple(_equations(ledger, told, rows)),
        tuple(worked),
        event_day + timedelta(days=ledger.file.programme.claim_days) if outcome == "held" and event_day is not None else None,
        tuple(stand_in(no) for (no,) in erased),
    )  # fmt: skip


def place_name(ledger: Ledger, record: int) -> str:
    """Topic, partition and offset of a record: `harvest.partner.transactions.v1/0/42`."""
    topic, partition, offset = place_of(record)
    return f"{ledger.file.programme.id}.{ledger.names.topic_name.get(topic, '?')}/{partition}/{offset}"


def _lines_of(ledger: Ledger, day: date | None, keys: Sequence[Key]) -> list[tuple[int, ...]]:
    """By key the obligation lines that rest on it; none before the window is cleared."""
    found: list[list[int]] = [[] for _ in keys]
    if day is not None and keys:
        for no, line in ledger.connection.execute(sql.LINES_OF_KEYS, {"day": day, "keys": [json.dumps(key) for key in keys]}):
            found[no].append(line)
    return [tuple(lines) for lines in found]


def _transfer(ledger: Ledger, names: AccountNames, row: Sequence[Any], lines: tuple[int, ...]) -> TransferPart:
    line, _, code, amount, unit, debit, credit, _, sponsor, contract, counterparty, counter_contract, mechanic, expiry, earned, release_on = row
    return TransferPart(
        line, Code(code).name.lower(), amount, ledger.names.unit_id[unit], names.name_of(debit), names.name_of(credit), ledger.names.mechanic_id.get(mechanic),
        _version(ledger, sponsor, contract), _version(ledger, counterparty, counter_contract), lot_name(expiry, earned, release_on), lines,
    )  # fmt: skip


def _version(ledger: Ledger, party: int | None, contract: int | None) -> str | None:
    return f"{ledger.names.party_id[party]} from {ledger.names.contract_from[contract]}" if contract is not None else None


def lot_name(expiry: date | None, earned: date | None, release_on: date | None) -> str | None:
    """A lot in words; markers of inactivity lie from the year 9000 on."""
    if expiry is None:
        return None
    if expiry.year == 9999:
        ends = "never expires"
    elif expiry.year >= 9000:
        ends = "expires by inactivity"
    else:
        ends = f"expires {expiry}"
    pending = f", pending until {release_on}" if release_on is not None and release_on.year > 1 else ""
    return f"earned {earned}, {ends}{pending}"


def _counted(ledger: Ledger, day: date | None, rows: Sequence[Sequence[Any]], in_lines: Sequence[tuple[int, ...]]) -> Iterable[CountedIn]:
    """What the event adds to each line; the purchase itself, which has no row, comes last among `in_lines`."""
    sums: dict[tuple[int, str], int] = {}
    for place, lines in enumerate(in_lines):
        amount, unit = (rows[place][3], ledger.names.unit_id[rows[place][4]]) if place < len(rows) else (1, PURCHASES)
        for number in lines:
            sums[number, unit] = sums.get((number, unit), 0) + amount
    for (no, unit), quantity in sorted(sums.items()):
        assert day is not None
        line = ledger.line(day, no)
        yield CountedIn(day, no, line.kind, line.detail, line.name, line.debtor, line.creditor, quantity, unit)


def _equations(ledger: Ledger, answer: dict[str, Any], rows: Sequence[Sequence[Any]]) -> Iterable[Equation]:
    """The answer says what the journal says."""
    effects = answer.get("effects", ())
    codes = [(Code(row[2]), row[3], ledger.names.unit_id[row[4]]) for row in rows]
    points = sum(GIVES.get(code, 0) * amount for code, amount, unit in codes if unit == POINTS)
    told = sum(effect["points"] for effect in effects if "points" in effect)
    if points or told:
        yield counts("points in the journal", points, "points in the answer", told)
    for currency in sorted({effect["currency"] for effect in effects if "currency" in effect}):
        paid = sum(PAYS.get(code, 0) * amount for code, amount, unit in codes if unit == currency)
        yield amounts(
            "amounts in the journal", paid, "amounts in the answer", sum(e["amount_minor"] for e in effects if e.get("currency") == currency), currency
        )
