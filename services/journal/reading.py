"""Reads, under lock, the facts that a batch is booked on. Locks are taken in sorted order: first cards that nobody owns, then members."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg

from clearing.basket import Remaining
from clearing.entries import Code
from clearing.events import Card, CardGift, CardSpend, Chargeback, EventKey, Facts, Given, Hold, Original, Outcome, Pending, Received, Sale, Spending
from clearing.member import Debt, Lot, LotKey, Member, funded, is_unfunded
from clearing.originals import BY_NAME, names_original, original_key
from clearing.shared import Before
from schemas.events.decode import decode
from schemas.ids import CardId, EventId, MechanicId, MemberId, MemberNo, RecordId
from services.journal.arrays import plain, texts
from services.journal.names import Names

AVAILABLE = date.min
"""In the books, the release date of points that are available."""

# Cards as they are known now; whose a known card is never changes, so no lock is needed for them.
CARDS = "select card, member, blocked from card where card = any(%s::text[])"
# An unknown card gets a row, so that holding its event and enrolling it meet at that row.
NEW_CARDS = "insert into card (card) select unnest(%s::text[]) on conflict do nothing"
LOCK_CARDS = "select card, member, blocked from card where card = any(%s::text[]) order by card for update"
# The members of a batch, locked; a row that was changed while this statement waited is read in its new version.
LOCK_MEMBERS = """
select no, id, kind, closed, available, pending, held, last_activity, state, attributes from member
where no = any(%s::int[]) order by no for update
"""
MEMBER_NUMBERS = "select no from member where id = any(%s)"
LOTS = "select member, sponsor, contract, expiry, earned, release_on, points, expired from lot where member = any(%s) and (points > 0 or expired > 0)"
# What is held for the cards whose owner may become known, in the order in which it came.
HELD = """
select h.card, h.record, h.received_at, e.body, e.party from held h join entry e on e.record = h.record and e.day = h.day
where h.card = any(%s) order by h.received_at, h.record
"""
# The originals that returns, adjustments, reversals, captures and releases name.
ORIGINALS = """
select k.source, k.id, e.record, e.type, e.outcome, e.member, e.card, e.party, e.contract, e.body, e.applied, e.received_at, o.state, o.expires_at,
  d.record is not null
from unnest(%s::int[], %s::text[]) k (source, id)
join identity i on i.source = k.source and i.id = k.id
join entry e on e.record = i.record and e.day = i.day
left join original o on o.record = e.record
left join deferred d on d.record = e.record
"""
# The rows that entries have in a window: how far they are numbered, and under which pricing keys they count already.
WRITTEN = """
select entry, code, sponsor, contract, counterparty, counter_contract, unit, max(line) + 1 from transfer
where entry = any(%s) and day = %s group by entry, code, sponsor, contract, counterparty, counter_contract, unit
"""
GIVEN = """
select entry, code, amount, sponsor, contract, mechanic, expiry, earned, release_on from transfer
where entry = any(%s) and code = any(%s) order by entry, line
"""
HOLDS = "select record, member, state from original where record = any(%s)"
NUMBERS = "select nextval('member_no') from generate_series(1, %s)"

GIVEN_CODES = {Code.ACCRUAL: "points", Code.UNFUNDED: "points", Code.DISCOUNT: "discount", Code.STAMP: "stamp", Code.CASH_BACK: "cash_back",
               Code.PRIVILEGE: "privilege", Code.PASS: "pass_visit"}  # fmt: skip
"""What returns, refunds and cancellations take back, and the effect that it was."""


class Reader:
    """Reads facts on one connection, inside the transaction of a batch."""

    def __init__(self, connection: psycopg.Connection, names: Names) -> None:
        self.connection = connection
        self.names = names

    def cards(self, shown: Collection[CardId], claimed: Collection[CardId], facts: Facts) -> None:
        """Reads the cards of a batch; those that nobody owns, and those that are being given to somebody, are locked."""
        facts.cards.update(self._cards(CARDS, sorted(shown)))
        lock = {card for card in shown if card not in facts.cards or facts.cards[card].member is None} | set(claimed)
        if lock:
            ordered = sorted(lock)
            self.connection.execute(NEW_CARDS, (texts(ordered),))
            facts.cards.update(self._cards(LOCK_CARDS, ordered))

    def _cards(self, statement: str, cards: Sequence[CardId]) -> dict[CardId, Card]:
        return {card: Card(card, member, blocked) for card, member, blocked in self.connection.execute(statement, (texts(cards),), binary=True).fetchall()}

    def blocked(self, cards: Collection[CardId], facts: Facts) -> None:
        """Reads again, under the lock of their members, whether cards are blocked."""
        facts.cards.update(self._cards(CARDS, sorted(cards)))

    def held(self, cards: Collection[CardId], facts: Facts) -> None:
        """Reads the events that are held for cards."""
        for card, record, received_at, body, party in self.connection.execute(HELD, (sorted(cards),)):
            facts.held.setdefault(card, []).append(self.received(record, received_at, body, party, arrived=False))

    def received(self, record: int, received_at: datetime, body: str, party: int, *, arrived: bool) -> Received:
        """An event from its entry."""
        value = body.encode()
        sender = self.names.party_id[party]
        assert sender is not None, "only senders who are parties are held or booked"
        return Received(RecordId(record), received_at, decode(value), sender, value, arrived)

    def member_numbers(self, ids: Collection[MemberId]) -> list[MemberNo]:
        """Numbers of members by their ids; those that are not enrolled are left out."""
        return [MemberNo(no) for (no,) in self.connection.execute(MEMBER_NUMBERS, (sorted(ids),))]

    def members(self, numbers: Collection[MemberNo], facts: Facts) -> None:
        """Locks and reads members."""
        rows = self.connection.execute(LOCK_MEMBERS, (plain(sorted(numbers)),), binary=True).fetchall()  # the driver's own loop is slow
        for no, id_, kind, closed, available, pending, held, last, state, attributes in rows:
            member = Member(no, id_, kind, closed, json.loads(attributes) if attributes != "{}" else {}, available, pending, held, last)
            if state != "{}":
                read_state(member, state)
            facts.members[no] = facts.by_id[id_] = member

    def lots(self, numbers: Collection[MemberNo], facts: Facts) -> None:
        """Reads all lots of members that are locked."""
        for no in numbers:
            facts.members[no].lots = {}
        for no, sponsor, contract, expiry, earned, release_on, points, expired in self.connection.execute(LOTS, (sorted(numbers),), binary=True):
            lots = facts.members[no].lots
            assert lots is not None
            lots[self.lot_key(sponsor, contract, expiry, earned, release_on)] = Lot(points, expired)

    def lot_key(self, sponsor: int, contract: int, expiry: date, earned: date, release_on: date) -> LotKey:
        """A lot's key from its numbers."""
        party, valid_from = self.names.party_id[sponsor], self.names.contract_from[contract]
        assert party is not None and valid_from is not None
        return LotKey(party, valid_from, expiry, earned, None if release_on == AVAILABLE else release_on)

    def _given_lot(self, sponsor: int, contract: int, expiry: date, earned: date, release_on: date) -> LotKey:
        """The lot that points were meant for, whether they went there or wait to be funded."""
        key = self.lot_key(sponsor, contract, expiry, earned, release_on)
        return funded(key) if is_unfunded(key) else key

    def originals(self, keys: Collection[EventKey], facts: Facts) -> None:
        """Reads the originals that are known by now; what is not known is left out."""
        known = [(self.names.source[source], id_) for source, id_ in keys if source in self.names.source]
        rows = self.connection.execute(ORIGINALS, ([source for source, _ in known], [id_ for _, id_ in known])).fetchall()
        accepted = [row[2] for row in rows if row[4] == Outcome.ACCEPTED]
        given: dict[int, list[Any]] = {}
        if accepted:
            for row in self.connection.execute(GIVEN, (accepted, [*GIVEN_CODES, Code.REDEMPTION])):
                given.setdefault(row[0], []).append(row)
        for row in rows:
            facts.originals[self.names.source_uri[row[0]], EventId(row[1])] = self._original(row, given.get(row[2], []))
        further = {original.of for original in facts.originals.values() if isinstance(original, Chargeback)} - facts.originals.keys()
        if further:  # a reversal names the chargeback, and this its clearing
            self.originals(further, facts)

    def _original(self, row: Sequence[Any], given: Iterable[Sequence[Any]]) -> Original:
        _, _, record, kind, outcome, member, card, party, contract, body, applied, received_at, state, expires_at, undecided = row
        stored = json.loads(state) if state else {}
        if outcome == Outcome.ACCEPTED and kind == "purchase.v1" and member is not None:
            sale = self._sale(record, member, applied, self.received(record, received_at, body, party, arrived=False), given, stored)
            sale.undecided = undecided
            return sale
        if outcome == Outcome.ACCEPTED and kind in BY_NAME:
            named = self.received(record, received_at, body, party, arrived=False)
            if not names_original(named):
                sale = self._sale(record, member, applied, named, given, stored)
                sale.undecided, sale.on_pass = undecided, stored.get("pass", "")
                return sale
        if outcome == Outcome.ACCEPTED and kind == "card-transaction.v1" and member is not None:
            spent = self.received(record, received_at, body, party, arrived=False)
            if spent.event.data.kind == "clearing":
                return self._spend(record, member, applied, spent, given, stored)
            if spent.event.data.kind == "chargeback":
                return Chargeback(record, original_key(spent))
        if outcome == Outcome.ACCEPTED and kind in ("redemption.v1", "redemption-capture.v1"):
            partner = self.names.party_id[party]
            assert partner is not None
            lots = [(self.lot_key(sponsor, lot, expiry, earned, AVAILABLE), amount) for _, _, amount, sponsor, lot, _, expiry, earned, _ in given]
            return Spending(record, member, partner, self.names.contract_from[contract], read_lots(stored["lots"]) if stored else lots)
        if outcome == Outcome.ACCEPTED and kind == "redemption-hold.v1":
            runs_out = datetime.fromisoformat(stored["expires_at"])
            return Hold(record, member, runs_out, read_lots(stored["lots"]), open=expires_at is not None)
        return Pending(record, Outcome(outcome), card)

    def _sale(self, record: int, member: int, applied: str | None, received: Received, given: Iterable[Sequence[Any]], stored: dict[str, Any]) -> Sale:
        parts: list[Given] = []
        for _, code, amount, sponsor, contract, mechanic, expiry, earned, release_on in given:
            effect = GIVEN_CODES.get(Code(code))
            name = self.names.mechanic_id[mechanic]
            if effect is None or name is None:
                continue
            lot = self._given_lot(sponsor, contract, expiry, earned, release_on) if effect == "points" else None
            if parts and effect == "points" and (parts[-1].mechanic, parts[-1].sponsor) == (name, self.names.party_id[sponsor]):
                parts[-1].value += amount  # a part of it had no room under a limit
                continue
            parts.append(Given(name, effect, None if effect == "stamp" else self.names.party_id[sponsor], amount, lot))
        values = {(mechanic, sponsor): value for mechanic, sponsor, value in stored.get("given", ())}
        for part in parts:
            part.value = values.get((part.mechanic, part.sponsor), part.value)
        left = {int(line): Remaining(amount, Decimal(quantity)) for line, amount, quantity in stored.get("left", ())}
        return Sale(RecordId(record), received, MemberNo(member), applied_of(applied), parts, left)

    def _spend(self, record: int, member: int, applied: str | None, received: Received, given: Iterable[Sequence[Any]], stored: dict[str, Any]) -> CardSpend:
        """A clearing with what its rows in the journal gave, and what refunds and chargebacks have left of it."""
        gifts = []
        for _, code, amount, sponsor, contract, mechanic, expiry, earned, release_on in given:
            effect, name, party = GIVEN_CODES.get(Code(code)), self.names.mechanic_id[mechanic], self.names.party_id[sponsor]
            if effect is not None and name is not None and party is not None:
                lot = self._given_lot(sponsor, contract, expiry, earned, release_on) if effect == "points" else None
                gifts.append(CardGift(name, effect, party, amount, amount, lot))
        left = {(mechanic, sponsor): rest for mechanic, sponsor, *rest in stored.get("given", ())}
        for gift in gifts:
            if (gift.mechanic, gift.sponsor) in left:
                gift.value, expired, gift.borne = left[gift.mechanic, gift.sponsor]
                gift.expired = {_lot_of(gift, release_on): points for release_on, points in expired.items()}
        amount_minor = stored.get("left", received.event.data.amount_minor)
        return CardSpend(RecordId(record), received, MemberNo(member), applied_of(applied), gifts, amount_minor, stored.get("charged", {}))

    def written(self, records: Collection[int], day: date) -> dict[int, Before]:
        """What entries have in the journal of a window; those that have nothing there are left out."""
        names, found = self.names, dict[int, Before]()
        for entry, code, sponsor, contract, counterparty, counter, unit, lines in self.connection.execute(WRITTEN, (sorted(records), day)):
            seller = names.party_id[sponsor]
            assert seller is not None, "every row has a sponsor"
            key = (Code(code), seller, names.contract_from[contract], names.party_id[counterparty], names.contract_from[counter], names.unit_id[unit])
            before = found.get(entry, Before())
            found[entry] = Before(max(before.lines, lines), before.keys | {key})
        return found

    def holds(self, records: Collection[int]) -> list[Hold]:
        """Open holds by their records, in the order given."""
        rows = {row[0]: row[1:] for row in self.connection.execute(HOLDS, (list(records),))}
        return [
            Hold(RecordId(record), MemberNo(rows[record][0]), datetime.fromisoformat(stored["expires_at"]), read_lots(stored["lots"]))
            for record in records
            for stored in (json.loads(rows[record][1]),)
        ]

    def fresh_numbers(self, count: int) -> list[MemberNo]:
        """Numbers for members who are about to be enrolled."""
        return [MemberNo(no) for (no,) in self.connection.execute(NUMBERS, (count,))]


def applied_of(applied: str | None) -> tuple[MechanicId, ...] | None:
    """The mechanics that applied to an event, from their stored form."""
    return tuple(MechanicId(name) for name in applied.split(",") if name) if applied is not None else None


def _lot_of(gift: CardGift, release_on: str) -> LotKey:
    """The lot of a gift as long as it was pending until a day, or, with an empty text, available."""
    assert gift.lot is not None, "only points expire"
    return gift.lot._replace(release_on=date.fromisoformat(release_on) if release_on else None)


def _spend_state(spend: CardSpend) -> dict[str, Any]:
    given = [
        [gift.mechanic, gift.sponsor, gift.value, {key.release_on.isoformat() if key.release_on else "": n for key, n in gift.expired.items()}, gift.borne]
        for gift in spend.given
    ]
    return {"left": spend.left_minor, "charged": {name: minor for name, minor in spend.charged.items() if minor}, "given": given}


def read_state(member: Member, state: str) -> None:
    """Debts, use of limits and what mechanics remember, from their stored form."""
    stored = json.loads(state)
    member.debts = [Debt(bearer, points) for bearer, points in stored.get("debts", ())]
    member.used = stored.get("used", {})
    member.memory = stored.get("memory", {})
    member.unfunded = stored.get("unfunded", 0)


def state_of(member: Member) -> str:
    """Debts, use of limits and what mechanics remember, in the form in which they are stored."""
    if not (member.debts or member.used or member.memory or member.unfunded):
        return "{}"
    kept: dict[str, Any] = {"debts": [[debt.bearer, debt.points] for debt in member.debts], "used": member.used, "memory": member.memory}
    if member.unfunded:
        kept["unfunded"] = member.unfunded
    return json.dumps(kept, separators=(",", ":"))


def read_lots(stored: Iterable[Sequence[Any]]) -> list[tuple[LotKey, int]]:
    """Lots of a hold or a redemption from their stored form."""
    day: Callable[[str], date] = date.fromisoformat
    return [(LotKey(sponsor, day(contract), day(expiry), day(earned), None), points) for sponsor, contract, expiry, earned, points in stored]


def original_state(original: Original) -> str:
    """What is left of an original, in the form in which it is stored."""
    match original:
        case Sale():
            left = [[line, rest.amount_minor, str(rest.quantity)] for line, rest in original.left.items()]
            on_pass = {"pass": original.on_pass} if original.on_pass else {}
            return json.dumps({"left": left, "given": [[part.mechanic, part.sponsor, part.value] for part in original.given], **on_pass})
        case Spending():
            return json.dumps({"lots": _stored_lots(original.lots)})
        case Hold():
            return json.dumps({"lots": _stored_lots(original.lots), "expires_at": original.expires_at.isoformat()})
        case CardSpend():
            return json.dumps(_spend_state(original))
        case Pending() | Chargeback():
            raise AssertionError("nothing is left or taken of an event that is not booked")


def _stored_lots(lots: Iterable[tuple[LotKey, int]]) -> list[list[Any]]:
    return [[key.sponsor, key.contract.isoformat(), key.expiry.isoformat(), key.earned.isoformat(), points] for key, points in lots]
