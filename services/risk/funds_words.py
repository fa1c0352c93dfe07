"""What people have signed about funds, as the books hold it: one proposes, another decides exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg
from psycopg.rows import class_row

from clearing.decisions import Says, digest
from clearing.two_people import FundsSaid
from schemas.ids import PartyId
from services.risk.funds import Entry, Kind
from services.settlement.decisions import SignedDecision

SIGNED: Final = """
select s.no, null::bigint dispute, null::int run, s.action, s.person, s.at, s.document, s.signature, k.public_key, k.no key,
  r.after_funding is not null and s.no > r.after_funding revoked_before, r.key is not null revoked, s.proposal,
  s.party, s.currency, s.amount amount_minor, s.kind, s.reference
from funding_signature s join person_key k on k.no = s.key left join key_revocation r on r.key = s.key
where %(parties)s::text[] is null or s.party = any(%(parties)s) order by s.no
"""


@dataclass(frozen=True, slots=True)
class SignedFunds(SignedDecision):
    """A signature about funds, with what its row says of them."""

    party: PartyId
    currency: str
    amount_minor: int
    kind: Kind
    reference: str

    def expected(self, programme: str, agreed: str | None) -> str:
        """The document put together again from the row. `agreed`: of a decision, the document of the proposal."""
        entry = Entry(self.party, self.currency, self.amount_minor, self.kind, self.reference)
        return said_of(programme, entry, Says(self.action), self.person, self.at, agreed).document()


def signatures(connection: psycopg.Connection, parties: Sequence[str] | None = None) -> list[SignedFunds]:
    """What was signed about the funds of some parties, or of all, in the order in which it was stored."""
    asked = {"parties": None if parties is None else list(parties)}
    return connection.cursor(row_factory=class_row(SignedFunds)).execute(SIGNED, asked).fetchall()


def said_of(programme: str, entry: Entry, says: Says, who: str, at: datetime, agreed: str | None = None) -> FundsSaid:
    """What a person signs about an entry. `agreed`: of a decision, the document of the proposal."""
    proposal = None if agreed is None else digest(agreed)
    return FundsSaid(programme, entry.party, entry.currency, entry.amount_minor, entry.kind, entry.reference, says, who, at, proposal)
