"""The reward detail of a bank and a closed window, from the journal: a line for each card transaction and each reward of it.

What was given, by whom it is funded and under which rule comes from one question to the database; what limits cut off is worth minus given, and worth is
asked of the policy that booked it. Rows stream: memory does not grow with the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from clearing.caps import Cap, caps_of, why_nothing
from clearing.entries import Code
from clearing.events import Received
from clearing.plan import Plan
from schemas.card_files import COLUMNS, EVENT_TYPE_OF, EventType, RewardKind, transaction_of
from schemas.events.card_transaction import CardTransactionEvent
from schemas.ids import MechanicId, PartyId, RecordId
from services.journal.reading import applied_of

NETWORK_CATEGORY: Final = "card-network"
"""Trade of the parties whose funding counts as the network's; that of all others but the card's bank counts as merchants'."""
KINDS: Final = {
    Code.ACCRUAL: (1, RewardKind.POINTS, None),
    Code.UNFUNDED: (1, RewardKind.POINTS, None),  # the member has them, and the bank owes for them once a night has funded them
    Code.UNFUNDED_REVERSAL: (-1, RewardKind.POINTS, None),
    Code.RETURN_UNSPENT: (-1, RewardKind.POINTS, None),
    Code.RETURN_SPENT: (-1, RewardKind.POINTS, None),
    Code.RETURN_SPENT_REVERSAL: (1, RewardKind.POINTS, None),
    Code.CASH_BACK: (1, RewardKind.CASHBACK, None),
    Code.CASH_BACK_REVERSAL: (-1, RewardKind.CASHBACK, None),
    Code.ROUND_UP: (1, RewardKind.ROUNDUP, EventType.ROUNDUP),
    Code.ROUND_UP_MATCH: (1, RewardKind.ROUNDUP, EventType.MATCH),
    Code.ROUND_UP_MATCH_REVERSAL: (-1, RewardKind.ROUNDUP, EventType.MATCH),
}
"""What a row of the journal is in the detail: its sign, the kind of reward, and the event type where it is not the transaction's own."""
STATE = "select state from settlement_window where day = %s"
TOTALS = """
select e.body::jsonb #>> '{data,kind}', t.code, u.id unit, sum(t.amount)::bigint units from transfer t
join entry e on e.record = t.entry join unit u on u.no = t.unit
where t.day = %(day)s and e.party = %(party)s and e.type = 'card-transaction.v1' and t.code = any(%(codes)s)
group by 1, 2, 3
"""
# Transactions that took effect in the window, the clearing that each is of, and what the journal gives and takes for it, by rule.
DETAIL = """
with tx as (
  select e.record, e.booked, e.id, e.source, e.member, e.event_day, e.received_at, e.body, e.applied,
    e.body::jsonb #>> '{data,original_id}' original
  from entry e
  where e.type = 'card-transaction.v1' and e.outcome = 'accepted' and e.party = %(party)s
    and ((e.day = %(day)s and e.booked = %(day)s) or (e.booked = %(day)s and e.booked <> e.day))
), given as (
  select t.entry, k.event_type, k.kind, t.mechanic, t.unit, sum(t.amount * k.sign)::bigint units,
    sum(t.amount * k.sign) filter (where t.sponsor = %(party)s)::bigint bank,
    sum(t.amount * k.sign) filter (where t.sponsor = any(%(networks)s))::bigint network
  from transfer t join unnest(%(codes)s::smallint[], %(signs)s::int[], %(kinds)s::text[], %(types)s::text[]) k (code, sign, kind, event_type) on k.code = t.code
  join tx on tx.record = t.entry
  where t.day = %(day)s group by t.entry, k.event_type, k.kind, t.mechanic, t.unit
), parts as (
  select g.entry, json_agg(json_build_array(g.event_type, g.kind, m.id, u.id, g.units, coalesce(g.bank, 0), coalesce(g.network, 0))
    order by g.event_type nulls first, m.no, g.kind, u.id) parts
  from given g left join mechanic m on m.no = g.mechanic join unit u on u.no = g.unit group by g.entry
)
select tx.record, tx.booked, tx.id, tx.received_at, tx.body, tx.applied, coalesce(tx.original, '') original, coalesce(o2.id, o1.id) clearing,
  coalesce(o2.event_day, o1.event_day, tx.event_day) rule_day, p.parts,
  coalesce(mb.closed, false) and exists (
    select from entry c where c.member = tx.member and c.type = 'member-closed.v1' and c.outcome = 'accepted'
      and (c.received_at, c.record) < (tx.received_at, tx.record)
  ) had_left
from tx left join parts p on p.entry = tx.record
left join member mb on mb.no = tx.member
left join identity i1 on i1.source = tx.source and i1.id = tx.original
left join entry o1 on o1.record = i1.record and o1.day = i1.day
left join identity i2 on i2.source = tx.source and i2.id = o1.body::jsonb #>> '{data,original_id}'
left join entry o2 on o2.record = i2.record and o2.day = i2.day
order by tx.id
"""
# What the night told the bank to pay its members, and under which rule.
PAYOUTS = """
select -o.no entry, o.member, o.card, m.id rule, u.id unit, o.amount from cash_back_payout o join mechanic m on m.no = o.mechanic join unit u on u.no = o.unit
where o.day = %(day)s and o.payer = %(party)s order by o.no
"""
PAYOUT_TOTALS = (
    "select u.id, sum(o.amount)::bigint from cash_back_payout o join unit u on u.no = o.unit where o.day = %(day)s and o.payer = %(party)s group by 1"
)
NO_MCC: Final = "0000"
"""A payout is no purchase: it has no category."""
Row = dict[str, Any]


class NotClosed(LookupError):
    """The window is still open, or there is none of that day."""

    def __init__(self, day: date) -> None:
        super().__init__(f"window {day} is not closed: what it gave is known when its night has run")


class NoBank(LookupError):
    """The programme has no such bank."""

    def __init__(self, bank: str) -> None:
        super().__init__(f"the programme has no bank {bank}")


@dataclass(frozen=True, slots=True)
class Detail:
    """The reward detail of one bank and one closed window. Raises `NoBank`, `NotClosed`."""

    connection: psycopg.Connection
    plan: Plan
    bank: PartyId
    day: date

    def __post_init__(self) -> None:
        party = self.plan.parties.get(self.bank)
        if party is None or party.kind != "bank":
            raise NoBank(self.bank)
        found = self.connection.execute(STATE, (self.day,)).fetchone()
        if found is None or found[0] in {"open", "draining"}:
            raise NotClosed(self.day)

    def rows(self) -> Iterator[Row]:
        """Lines by the transaction's id, each with the columns of a `CardRow` (numbers as numbers, empty cells None) and `entry`, its record."""
        no = 0
        with self.connection.transaction(), self.connection.cursor(name="reward_detail", row_factory=dict_row) as cursor:
            cursor.itersize = 10_000
            cursor.execute(DETAIL, self._asked())
            for found in cursor:
                for row in self._lines(found):
                    no += 1
                    yield row | {"line_no": no}
            for no, found in enumerate(self._payouts(), start=no + 1):  # noqa: B020 - it goes on counting
                yield found | {"line_no": no}

    def journal_totals(self) -> dict[tuple[str, str, str], int]:
        """Units by event type, kind of reward and unit, added up from the journal's rows by a second, plainer question."""
        totals: dict[tuple[str, str, str], int] = {}
        asked = {"day": self.day, "party": self._party(), "codes": [int(code) for code in KINDS]}
        for what, code, unit, units in self.connection.execute(TOTALS, asked):
            sign, kind, event_type = KINDS[Code(code)]
            key = (str(event_type or EVENT_TYPE_OF[what]), str(kind), self._unit(unit))
            totals[key] = totals.get(key, 0) + sign * units
        for unit, units in self.connection.execute(PAYOUT_TOTALS, asked):
            totals[str(EventType.PAYOUT), str(RewardKind.CASHBACK), unit] = units
        return totals

    def _party(self) -> int:
        row = self.connection.execute("select no from party where id = %s", (self.bank,)).fetchone()
        assert row is not None, "every party of a programme in force has a number"
        return int(row[0])

    def _asked(self) -> dict[str, Any]:
        networks = [party.id for party in self.plan.parties.values() if party.category == NETWORK_CATEGORY]
        numbers = self.connection.execute("select no from party where id = any(%s)", (networks,)).fetchall()
        return {
            "day": self.day,
            "party": self._party(),
            "networks": [no for (no,) in numbers],
            "codes": [int(code) for code in KINDS],
            "signs": [sign for sign, _, _ in KINDS.values()],
            "kinds": [str(kind) for _, kind, _ in KINDS.values()],
            "types": [event_type for _, _, event_type in KINDS.values()],
        }

    def _payouts(self) -> Iterator[Row]:
        """What the bank is to pay its members for this window, a line for each member, rule and currency; its id is the same whenever it is told."""
        end = datetime.combine(self.day, time(23, 59, 59), tzinfo=self.plan.zone).isoformat()
        cursor = self.connection.cursor(row_factory=dict_row)
        for found in cursor.execute(PAYOUTS, {"day": self.day, "party": self._party()}):
            token = str(found["card"])
            named = f"{self.plan.programme.id} {found['member']} {found['rule']} {found['unit']}"
            empty: Row = dict.fromkeys(COLUMNS)
            yield empty | _card(token) | self._rule(found["rule"], self.day, None) | {
                "entry": found["entry"], "bank_txn_id": f"P{self.day:%Y%m%d}-{sha256(named.encode()).hexdigest()[:24]}", "event_type": EventType.PAYOUT,
                "mcc": NO_MCC, "transacted_at": end, "posting_date": self.day, "billing_minor": found["amount"], "billing_ccy": found["unit"],
                "eligible_minor": 0, "reward_kind": RewardKind.CASHBACK, "reward_units": found["amount"], "reward_ccy": found["unit"],
                "settlement_ref": f"W-{self.day}",
            }  # fmt: skip

    def _unit(self, unit: str) -> str:
        return self.plan.programme.points.code if unit == "points" else unit

    def _lines(self, found: Row) -> Iterator[Row]:
        event = CardTransactionEvent.model_validate_json(found["body"])
        data = event.data
        event_type = EVENT_TYPE_OF[data.kind]
        received = Received(RecordId(found["record"]), found["received_at"], event, self.bank)
        local = event.time.astimezone(self.plan.zone)
        parts = found["parts"] or []
        caps: dict[MechanicId, Cap] = {}
        had_left = found["had_left"]  # by then: who leaves later changes nothing of what a file has said
        if event_type is EventType.EARN and not had_left:
            given = {MechanicId(part[2]): 0 for part in parts if part[0] != EventType.MATCH}
            for part in parts:
                if part[0] != EventType.MATCH:
                    given[MechanicId(part[2])] += part[4]
            applied = None if found["applied"] is None else frozenset(applied_of(found["applied"]) or ())
            caps = caps_of(self.plan, received, local, applied, given)
        base = _transaction(found, event)
        own = 0
        for part_type, kind, rule, unit, units, bank, network in parts:
            own += part_type is None
            cap = caps.pop(MechanicId(rule), None) if part_type != EventType.MATCH else None
            reward = {"event_type": part_type or event_type, "reward_kind": kind, "reward_units": units, "reward_ccy": self._unit(unit)}
            shares = {"bank_funded": bank, "network_funded": network, "merchant_funded": units - bank - network, "eligible_minor": data.amount_minor}
            yield base | reward | shares | self._rule(rule, found["rule_day"], cap)
        for rule, cap in caps.items():  # limits left nothing of these
            own += 1
            yield base | {"event_type": event_type, "eligible_minor": data.amount_minor, "exclusion_code": "CAP"} | self._rule(rule, found["rule_day"], cap)
        if not own:
            why = why_nothing(self.plan, received, local, left=had_left) if event_type is EventType.EARN else None
            yield base | {"event_type": event_type, "exclusion_code": why}

    def _rule(self, rule: str, day: date, cap: Cap | None) -> Row:
        begun = [entry.valid_from for entry in self.plan.file.mechanics if entry.id == rule and entry.valid_from <= day]
        told = {"rule_id": rule, "rule_version": max(begun, default=None)}
        return told if cap is None else told | {"cap_bucket": cap.bucket, "cap_cut_units": cap.cut_units}


def _transaction(found: Row, event: CardTransactionEvent) -> Row:
    """What every line of a transaction has: its keys and amounts, and no reward."""
    data = event.data
    empty: Row = dict.fromkeys(COLUMNS)
    return (
        empty
        | _card(data.card_token)
        | {
            "entry": found["record"],
            "bank_txn_id": transaction_of(found["id"], EVENT_TYPE_OF[data.kind]),
            "original_bank_txn_id": transaction_of(found["clearing"] or found["original"], EventType.EARN) or None,
            "rrn": data.rrn,
            "auth_code": data.auth_code,
            "arn": data.arn,
            "mcc": data.mcc,
            "acceptor_id": data.acceptor,
            "transacted_at": data.transacted_at.isoformat(),
            "posting_date": data.posted_on,
            "billing_minor": data.amount_minor,
            "billing_ccy": data.currency,
            "eligible_minor": 0,
            "reward_units": 0,
            "settlement_ref": f"W-{found['booked']}",
        }
    )


def _card(token: str) -> Row:
    """A card as files name it: events mark a payment account reference."""
    marked = token.startswith("par:")
    return {"card_ref_type": "PAR" if marked else "TOKEN", "card_ref": token.removeprefix("par:") if marked else token}
