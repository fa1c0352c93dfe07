"""A party has not paid at its deadline: the window defaults, its loss is booked in it, and a further run of it follows, linked to the one before.

One person proposes it and another declares it, each with a signature over who has not paid, how much, and who bears it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import psycopg

from clearing.approval import Refused, Unsigned
from clearing.decisions import Says, digest
from clearing.default_loss import Borne, Unpaid, borne
from clearing.entries import LineKind
from clearing.headroom import funds_in, limits_on
from clearing.lines import Obligation
from clearing.payment_states import PaymentKind, PaymentState
from clearing.people import same_person
from clearing.settlement_days import value_date
from clearing.terms import Terms
from clearing.two_people import Declaration, borne_as_told, default_bytes, unpaid_as_told
from clearing.window import Event, State
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from services.journal.corrections import book_correction
from services.journal.headroom import FUNDS_IN_TURN, funds_of
from services.journal.windows import lock_window, move_window
from services.risk.errors import RiskCode, RiskError
from services.risk.funds import ENTER
from services.risk.verify_funds import require_funds
from services.settlement.baselines import default_named, keep_baselines
from services.settlement.calendar import bank_days
from services.settlement.decisions import SignedDecision, Words, decisions_of, keep_decision, require_made
from services.settlement.payment_states import Standing, states_of
from services.settlement.runs import SignedRun, newest_run

SETTLED_OUT: Final = (PaymentState.CONFIRMED, PaymentState.REJECTED, PaymentState.RECALLED, PaymentState.RETURNED)
"""States of what the operator pays in which nothing of it is on its way."""
# No statement begins to count between the look at the payments and the move: it would be compared with nothing.
NO_MATCHING = "select pg_advisory_xact_lock(hashtext(current_schema() || ' matching'))"
# What each defaulter's debt rests on: its lines of the window, and, where something was carried to it, of the windows since which that waits. What a
# default brought to one of those was not carried on: the further run of that window pays it.
LINES = """
select o.day, o.kind, o.debtor, o.creditor, o.currency, o.amount from obligation o where (o.day, o.line) in (
  select l.day, l.line from unnest(%(parties)s::text[], %(currencies)s::text[]) u (party, currency)
  left join carried c on c.day = (select max(day) from settlement_window where day < %(day)s) and (c.party, c.currency) = (u.party, u.currency)
  join obligation l on l.day between coalesce(c.since, %(day)s) and %(day)s and l.currency = u.currency and u.party in (l.debtor, l.creditor)
  where l.day = %(day)s or l.kind <> 'default_loss'
) order by o.day, o.line
"""


@dataclass(frozen=True, slots=True)
class Default:
    """Who defaulted in a window, with which run, and who bears what."""

    day: date
    run: int
    unpaid: tuple[Unpaid, ...]
    borne: tuple[Borne, ...]


def deadline_of(standing: Standing, file: ProgrammeFile) -> date:
    """The last day on which a payment is in time: so many bank days after its value date."""
    rules = file.programme.default
    days = rules.deadline_days if rules is not None else 0
    return value_date(standing.value_date, days, bank_days(file.programme.bank_calendar.holidays))


def to_propose(connection: psycopg.Connection, file: ProgrammeFile, day: date, parties: Sequence[PartyId], who: str, now: datetime, today: date) -> Declaration:
    """What a person has to sign to propose that parties have not paid. Raises what `declare` raises, but for not-proposed."""
    found = _looked(connection, file, day, parties, today)
    return found.declaration(file, Says.PROPOSE, who, now)


def propose(connection: psycopg.Connection, file: ProgrammeFile, today: date, said: Declaration, signature: bytes) -> None:
    """Keeps the proposal, in one transaction; nothing is booked. A later one takes its place. Raises what `declare` raises, but for not-proposed."""
    with connection.transaction():
        found = _looked(connection, file, said.window, [one.party for one in said.unpaid], today)
        _as_signed(found.declaration(file, said.says, said.person, said.at), said)
        keep_decision(connection, _words(said), signature)


def to_declare(connection: psycopg.Connection, file: ProgrammeFile, day: date, parties: Sequence[PartyId], who: str, now: datetime, today: date) -> Declaration:
    """What a second person has to sign to declare what the first has proposed. Raises what `declare` raises."""
    found = _looked(connection, file, day, parties, today)
    return found.declaration(file, Says.DECIDE, who, now, _proposal(connection, file, found, who))


def declare(connection: psycopg.Connection, file: ProgrammeFile, today: date, said: Declaration, signature: bytes) -> Default:
    """Moves an instructed window to defaulted and books in it who bears what was not paid, in one transaction; the night makes the further run.

    `said`: what `to_declare` gave, with its signature: exactly what another person has proposed. All who have not paid are named, since the further run makes
    new payments of what is missing, and nothing may be on its way to a payee, or announced by the bank.

    Raises `RiskError`: not-instructed, no-default-rule, not-unpaid, others-unpaid, payments-under-way, before-deadline, not-proposed, second-person,
    default-changed; `Refused`: maker-revoked; `SettlementError` where the signature is not what it claims to be.
    """
    day, now, by = said.window, said.at, said.person
    with connection.transaction():
        found = _looked(connection, file, day, [one.party for one in said.unpaid], today)
        proposal = _proposal(connection, file, found, by)
        run = found.run
        _as_signed(found.declaration(file, said.says, by, now, proposal), said)
        keep_decision(connection, _words(said, proposal.no), signature)
        keep_baselines(connection, run.no, found.standings)
        move_window(connection, file.programme.id, day, Event.UNPAID_AT_DEADLINE, run=(run.no, run.sha256), at=now, by=by)
        for one in said.unpaid:
            if one.used_minor:
                reference = f"default of {day}, run {run.no}, {one.currency}"
                connection.execute(ENTER, (one.party, one.currency, -one.used_minor, "used", reference, by, now))
        for line in said.borne:
            reference = f"{default_named(line.defaulter, day, run.no)}{line.currency}, {line.bearer}"
            reason = f"{line.defaulter} had not paid by {deadline_of(found.unpaid[line.defaulter, line.currency], file)}"
            pair = (line.bearer, line.defaulter)
            book_correction(connection, line.code, *pair, line.currency, line.amount_minor, reference=reference, reason=reason, by=by, defaulted=day)
    return Default(day, run.no, said.unpaid, said.borne)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a default would bring as the books are."""

    day: date
    run: SignedRun
    standings: Sequence[Standing]
    unpaid: dict[tuple[PartyId, str], Standing]
    owed: tuple[Unpaid, ...]
    borne: tuple[Borne, ...]

    def declaration(self, file: ProgrammeFile, says: Says, who: str, at: datetime, proposal: SignedDecision | None = None) -> Declaration:
        """The same as what a person signs."""
        agreed = None if proposal is None else digest(proposal.document)
        return Declaration(file.programme.id, self.day, self.run.no, self.run.sha256, says, self.owed, self.borne, who, at, agreed)


def _looked(connection: psycopg.Connection, file: ProgrammeFile, day: date, parties: Sequence[PartyId], today: date) -> _Looked:
    """Who owes what and who bears it; in a transaction nobody can change it until it ends."""
    connection.execute(NO_MATCHING)
    try:
        state = lock_window(connection, day)
    except LookupError as missing:
        raise RiskError(RiskCode.NOT_INSTRUCTED, str(missing)) from None
    if state is not State.INSTRUCTED:
        raise RiskError(RiskCode.NOT_INSTRUCTED, f"window {day} is {state}: only one whose payments are with the bank can default")
    rules = file.programme.default
    if rules is None:
        raise RiskError(RiskCode.NO_DEFAULT_RULE, "the programme says nothing about a default: default, deadline_days and loss")
    run = newest_run(connection, day)
    standings = states_of(connection, run.no)
    unpaid = _unpaid(standings, file, parties, today)
    connection.execute(FUNDS_IN_TURN)
    require_funds(connection, file.programme.id, sorted({party for party, _ in unpaid}))
    owed = _with_funds(connection, file, day, unpaid)
    found = borne(rules.loss, file.programme.operator.party, _lines(connection, day, owed), owed)
    return _Looked(day, run, standings, unpaid, tuple(owed), tuple(found))


def _proposal(connection: psycopg.Connection, file: ProgrammeFile, found: _Looked, who: str) -> SignedDecision:
    """The newest proposal of the run, where it says what the books say, and another person has signed that."""
    proposals = [one for one in decisions_of(connection, run=found.run.no) if one.action == Says.PROPOSE]
    if not proposals:
        raise RiskError(RiskCode.NOT_PROPOSED, f"nobody has proposed a default in window {found.day}: clh settlement propose-default {found.day} PARTY")
    newest = proposals[-1]
    if same_person(newest.person, who):
        raise RiskError(RiskCode.SECOND_PERSON, f"{newest.person} has proposed it: another person declares it")
    if newest.revoked:
        raise Refused(Unsigned.MAKER_REVOKED, f"the key of {newest.person}, who proposed it, is revoked: another person proposes it anew")
    told = json.loads(newest.document)
    if (told["unpaid"], told["borne"]) != (unpaid_as_told(found.owed), borne_as_told(found.borne)):
        raise RiskError(RiskCode.DEFAULT_CHANGED, f"what {newest.person} has proposed is not what the books say now: propose it anew")
    require_made(newest, found.declaration(file, Says.PROPOSE, newest.person, newest.at).document(), default_bytes)
    return newest


def _as_signed(now_so: Declaration, said: Declaration) -> None:
    if now_so.document() != said.document():
        raise RiskError(RiskCode.DEFAULT_CHANGED, f"window {said.window} is not what was signed any more: look at it again")


def _words(said: Declaration, proposal: int | None = None) -> Words:
    return Words(said.person, said.says, said.at, said.document(), said.signed(), run=said.run, proposal=proposal)


def _unpaid(standings: Sequence[Standing], file: ProgrammeFile, parties: Sequence[PartyId], today: date) -> dict[tuple[PartyId, str], Standing]:
    missing = {(PartyId(one.payer), one.currency): one for one in standings if one.kind is PaymentKind.INCOMING and one.missing_minor}
    payers = {party for party, _ in missing}
    for party in parties:
        if party not in payers:
            raise RiskError(RiskCode.NOT_UNPAID, f"{party} has nothing left to pay in this window")
    if others := sorted(payers - set(parties)):
        raise RiskError(RiskCode.OTHERS_UNPAID, f"{', '.join(others)} have not paid either: name them too, or wait for them")
    if under_way := sorted(one.id for one in standings if one.kind is PaymentKind.OUTGOING and one.state not in SETTLED_OUT):
        raise RiskError(RiskCode.PAYMENTS_UNDER_WAY, f"no statement shows yet what became of {', '.join(under_way)}: clh bank match, or recall them")
    if announced := sorted(one.id for one in missing.values() if one.announced_minor > one.confirmed_minor):
        raise RiskError(
            RiskCode.PAYMENTS_UNDER_WAY, f"the bank has announced money for {', '.join(announced)} that is on no statement that counts: clh bank match"
        )
    for (party, _), one in missing.items():
        if today <= (last := deadline_of(one, file)):
            raise RiskError(RiskCode.BEFORE_DEADLINE, f"{party} may pay until {last}")
    return missing


def _with_funds(connection: psycopg.Connection, file: ProgrammeFile, day: date, unpaid: dict[tuple[PartyId, str], Standing]) -> list[Unpaid]:
    """What each owes, and what of its funds there is: what was paid in, and what its contract names as prefunded."""
    paid_in = funds_of(connection)
    limits = limits_on(Terms(file), day, paid_in)
    return [Unpaid(party, currency, one.missing_minor, funds_in(party, currency, limits, paid_in)) for (party, currency), one in sorted(unpaid.items())]


def _lines(connection: psycopg.Connection, day: date, owed: Sequence[Unpaid]) -> list[Obligation]:
    asked = {"day": day, "parties": [one.party for one in owed], "currencies": [one.currency for one in owed]}
    rows = connection.execute(LINES, asked).fetchall()
    return [
        Obligation(of, LineKind(kind), PartyId(debtor), PartyId(creditor), None, currency, None, None, amount, None, None)
        for of, kind, debtor, creditor, currency, amount in rows
    ]
