"""From a record of Kafka to something that can be booked or refused: decoded, its sender proven, no card number in clear."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from clearing.events import Refused
from schemas.card_fields import card_number_pointer
from schemas.card_numbers import holds_card_number
from schemas.events import Event
from schemas.events.answers import RejectionCode
from schemas.events.decode import Malformed, UnknownType, decode
from schemas.events.envelope import Envelope
from schemas.ids import EventId, PartyId, RecordId
from schemas.programme import ProgrammeFile

SIGNATURE = "clh-signature"
SENT_BY_SELLERS = frozenset({"purchase.v1", "return.v1", "price-adjustment.v1"})
"""What an operator that also sells sends as a partner."""
SENT_BY_BANKS = frozenset({"card-transaction.v1"})
"""What banks send, a bank that operates the programme as a bank too."""
NOT_SENT_BY = {"operator": SENT_BY_SELLERS | SENT_BY_BANKS, "partners": SENT_BY_BANKS, "banks": frozenset[str]()}
"""By the role in which a sender speaks: types of events that it may not send."""
Headers = Sequence[tuple[str, str | bytes | None]]


class Incoming(msgspec.Struct, gc=False):
    """One record as it was read. `event` is None and `problem` says why where it cannot be booked."""

    record: RecordId
    topic: int
    partition: int
    offset: int
    before: int
    """The position that the reading had in the partition before this record."""
    generation: int
    """Counts assignments: what was read before the last one is dropped."""
    received_at: datetime
    value: bytes
    event: Any = None
    source: str | None = None
    id: EventId | None = None
    """Source and id, where the event claims them."""
    sender: PartyId | None = None
    type: str | None = None
    problem: Refused | None = None
    keep: bool = True
    """Whether the record may be stored: not when a card number may stand in it."""


def record_id(topic: int, partition: int, offset: int) -> RecordId:
    """Topic, partition and offset in one number."""
    return topic << 56 | partition << 40 | offset  # type: ignore[return-value]  # for each record: the call of a NewType costs as much as the rest


def place_of(record: int) -> tuple[int, int, int]:
    """Topic number, partition and offset of a record id."""
    return record >> 56, record >> 40 & 0xFFFF, record & 0xFFFFFFFFFF


class SenderKeys:
    """Keys of the senders by key id. Without any, unsigned records are accepted: only the house's own gateway writes."""

    def __init__(self, keys: dict[str, tuple[PartyId, bytes]] | None) -> None:
        self._keys = keys

    @staticmethod
    def read(path: Path | None) -> "SenderKeys":
        """Reads `{"key id": {"party": …, "secret": hex}}`; with a file, every record must be signed."""
        if path is None:
            return SenderKeys(None)
        stored = json.loads(path.read_text(encoding="utf-8"))
        return SenderKeys({key_id: (PartyId(key["party"]), bytes.fromhex(key["secret"])) for key_id, key in stored.items()})

    def prove(self, party: PartyId, value: bytes, headers: Headers | None) -> bool:
        """Whether the record was signed by the party, or no signature is asked for."""
        if self._keys is None:
            return True
        text = next((content for name, content in headers or () if name == SIGNATURE), None)
        key_id, _, digest = (text.decode("ascii", "replace") if isinstance(text, bytes) else text or "").partition(":")
        owner, secret = self._keys.get(key_id, (None, b""))
        return owner == party and hmac.compare_digest(hmac.new(secret, value, hashlib.sha256).hexdigest(), digest)


class Reading:
    """Reads records for one programme."""

    def __init__(self, file: ProgrammeFile, keys: SenderKeys) -> None:
        self.operator = file.programme.operator.party
        self.kinds = {party.id: party.kind for party in file.parties}
        self.keys = keys
        self._senders: dict[str, tuple[PartyId, bool, frozenset[str]]] = {}

    def read(self, incoming: Incoming, headers: Headers | None) -> Incoming:
        """Fills in the event, or the problem with it."""
        event: Event | Envelope
        try:
            incoming.event = event = decode(incoming.value)
        except Malformed as error:
            return self._unreadable(incoming, error, headers)
        except UnknownType as error:
            event = error.envelope
            incoming.problem = Refused(RejectionCode.UNKNOWN_TYPE, error.detail, error.pointer)
            incoming.keep = not holds_card_number(incoming.value.decode("utf-8", "replace"))
        incoming.type = event.type
        speaks = self._senders.get(event.source)
        if speaks is None:
            speaks = self._sender(event.source)
        party, may, barred = speaks
        if not may or event.type in barred or not self.keys.prove(party, incoming.value, headers):
            incoming.event = None
            incoming.problem = Refused(
                RejectionCode.WRONG_SOURCE, "the sender may not speak for this source, or did not prove that it is the sender", "/source"
            )
            incoming.keep = not holds_card_number(incoming.value.decode("utf-8", "replace"))
            return incoming
        incoming.source, incoming.id, incoming.sender = event.source, event.id, party
        if incoming.event is not None:
            pointer = card_number_pointer(incoming.event)
            if pointer is not None:
                incoming.event, incoming.keep = None, False
                incoming.problem = Refused(RejectionCode.CARD_NUMBER_IN_CLEAR, "the field holds what passes for a payment card number", pointer)
        return incoming

    def _sender(self, source: str) -> tuple[PartyId, bool, frozenset[str]]:
        """Who sends by this source, whether that party may, and what it may not send so. Remembered for parties, who are few."""
        _, role, named = source.split("/", 2)
        party = PartyId(named)
        speaks = party, self._may_speak(source, party), NOT_SENT_BY[role]
        if party in self.kinds:
            self._senders[source] = speaks
        return speaks

    def _may_speak(self, source: str, party: PartyId) -> bool:
        """Only the operator speaks as operator, only banks as banks; an unknown party is refused later, as such."""
        if source.startswith("/operator/"):
            return party == self.operator
        if source.startswith("/banks/"):
            return self.kinds.get(party, "bank") == "bank"
        return True

    def _unreadable(self, incoming: Incoming, error: Malformed, headers: Headers | None) -> Incoming:
        """A malformed event claims its id where it names one and its sender is proven: the same again is answered the same."""
        incoming.problem = Refused(RejectionCode.MALFORMED, error.detail, error.pointer)
        incoming.keep = not holds_card_number(incoming.value.decode("utf-8", "replace"))
        claim = error.claim
        if claim is not None and not holds_card_number(claim.source):
            party, may, barred = self._sender(claim.source)
            if may and claim.type not in barred and self.keys.prove(party, incoming.value, headers):
                incoming.source, incoming.id, incoming.sender, incoming.type = claim.source, claim.id, party, claim.type
        return incoming
