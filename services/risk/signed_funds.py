"""Funds are entered and paid out by two people: one proposes, another decides exactly that, and from then on they count. Each signs with a key of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import psycopg

from clearing.approval import Refused, Unsigned
from clearing.decisions import Says, digest
from clearing.people import same_person
from clearing.two_people import FundsSaid, funds_bytes
from schemas.ids import PartyId
from schemas.money import to_text
from services.risk.errors import RiskCode, RiskError
from services.risk.funds import ENTER, Entry, Kind, balance_of, require_enterable
from services.risk.funds_words import SignedFunds, said_of, signatures
from services.risk.verify_funds import require_funds
from services.settlement.decisions import require_made
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import holds
from services.settlement.people import newest_key

KEEP: Final = """
insert into funding_signature (party, currency, amount, kind, reference, action, proposal, person, key, at, document, signature)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def to_propose(connection: psycopg.Connection, programme: str, entry: Entry, who: str, now: datetime) -> FundsSaid:
    """What a person has to sign to propose that funds are paid in or out. Raises what `services.risk.funds.require_enterable` raises; `SettlementError`
    bad-signature, where what would be paid out of rests on what nobody has signed."""
    with connection.transaction():
        return said_of(programme, _enterable(connection, programme, entry, now=False), Says.PROPOSE, who, now)


def propose(connection: psycopg.Connection, said: FundsSaid, signature: bytes) -> None:
    """Keeps the proposal, in one transaction; nothing counts yet. A later one under the same reference takes its place.

    Raises what `to_propose` raises, and `SettlementError` where the signature is not what it claims to be.
    """
    with connection.transaction():
        _enterable(connection, said.programme, _entry(said), now=False)
        _keep(connection, said, None, signature)


def to_confirm(connection: psycopg.Connection, programme: str, wanted: Entry, who: str, now: datetime) -> FundsSaid:
    """What a second person has to sign, who names the same sum. Raises what `to_propose` raises; not-proposed, funds-differ, second-person; `Refused`:
    maker-revoked; `SettlementError` bad-signature, where nobody has signed what the books hold as proposed.
    """
    with connection.transaction():
        entry = _enterable(connection, programme, wanted, now=True)
        return said_of(programme, entry, Says.DECIDE, who, now, _proposal(connection, programme, entry, who).document)


def confirm(connection: psycopg.Connection, said: FundsSaid, signature: bytes) -> int:
    """Keeps the decision and enters the funds, in one transaction; from its end on they count. Returns the party's balance, in minor units.

    `said`: what `to_confirm` gave, with its signature. Raises what that raises; funds-differ where something else was proposed since.
    """
    with connection.transaction():
        entry = _enterable(connection, said.programme, _entry(said), now=True)
        proposal = _proposal(connection, said.programme, entry, said.person)
        if said.proposal != digest(proposal.document):
            raise RiskError(RiskCode.FUNDS_DIFFER, f"{entry.reference} of {entry.party} was proposed anew since {said.person} signed: look at it again")
        _keep(connection, said, proposal.no, signature)
        connection.execute(ENTER, (entry.party, entry.currency, entry.signed_minor, entry.kind, entry.reference, said.person, said.at))
        return balance_of(connection, entry.party, entry.currency)


def _enterable(connection: psycopg.Connection, programme: str, entry: Entry, *, now: bool) -> Entry:
    """As `require_enterable`; and nothing is paid out of funds that two people have not signed, whatever the rows say."""
    found = require_enterable(connection, entry, now=now)
    if found.kind == "paid out":
        require_funds(connection, programme, [found.party])
    return found


def _entry(said: FundsSaid) -> Entry:
    kind: Kind = "paid in" if said.kind == "paid in" else "paid out"
    return Entry(PartyId(said.party), said.currency, said.amount_minor, kind, said.reference)


def _proposal(connection: psycopg.Connection, programme: str, entry: Entry, who: str) -> SignedFunds:
    """What was proposed last under the reference, where it is this sum, goes this way, and another person has signed that."""
    made = [one for one in signatures(connection, [entry.party]) if (one.kind, one.reference, one.action) == (entry.kind, entry.reference, Says.PROPOSE)]
    if not made:
        raise RiskError(RiskCode.NOT_PROPOSED, f"nobody has proposed that {entry.reference} of {entry.party} is {entry.kind}: clh funding list {entry.party}")
    newest = made[-1]
    if (newest.currency, newest.amount_minor) != (entry.currency, entry.amount_minor):
        told = f"{to_text(newest.amount_minor, newest.currency)} {newest.currency}"
        raise RiskError(RiskCode.FUNDS_DIFFER, f"{newest.person} has proposed {told} under {entry.reference}, which is another sum")
    if same_person(newest.person, who):
        raise RiskError(RiskCode.SECOND_PERSON, f"{newest.person} has proposed it: another person confirms it")
    if newest.revoked:
        raise Refused(Unsigned.MAKER_REVOKED, f"the key of {newest.person}, who proposed it, is revoked: another person proposes it anew")
    require_made(newest, newest.expected(programme, None), funds_bytes)
    return newest


def _keep(connection: psycopg.Connection, said: FundsSaid, proposal: int | None, signature: bytes) -> None:
    key = newest_key(connection, said.person)
    if not key.in_force:
        raise SettlementError(SettlementCode.KEY_REVOKED, f"the key of {said.person} is revoked: {key.reason}")
    if not holds(key.public_key, said.signed(), signature):
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"the signature was not made with the key of {said.person}")
    about = (said.party, said.currency, said.amount_minor, said.kind, said.reference)
    connection.execute(KEEP, (*about, said.says.value, proposal, said.person, key.no, said.at, said.document(), signature))
