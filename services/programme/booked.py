"""Which versions of a programme's contracts and mechanics applied to booked events, and until which event date."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import psycopg

from clearing.entries import Code
from schemas.ids import MechanicId, PartyId
from schemas.programme import ProgrammeFile
from services.programme.parts import ContractKey, MechanicKey

_GIVING = (Code.ACCRUAL, Code.DISCOUNT, Code.REWARD, Code.CASH_BACK, Code.ROUND_UP_MATCH, Code.PRIVILEGE, Code.STAMP, Code.ROUND_UP)

# Versions of senders by the dates of their accepted events, and of sponsors by the dates on which their points were earned.
_CONTRACTS = """
with used (contract, day) as (
  select contract, max(event_day) from entry where outcome = 'accepted' and contract is not null and event_day is not null group by contract
  union all
  select contract, max(earned) from transfer where contract is not null and earned is not null group by contract
)
select party.id, contract.valid_from, max(used.day)
from used join contract on contract.no = used.contract join party on party.no = contract.party
group by party.id, contract.valid_from
"""
# The event dates on which each mechanic gave something: of points that is when they were earned, of a pass when it was sold (its visits keep the
# terms of that day), of all else the date of the event.
_MECHANICS = """
with given (mechanic, day) as (
  select mechanic, earned from transfer where code = any(%(codes)s) and mechanic is not null and earned is not null group by mechanic, earned
  union
  select transfer.mechanic, entry.event_day
  from transfer join entry on entry.record = transfer.entry
  where transfer.code = any(%(codes)s) and transfer.mechanic is not null and transfer.earned is null and entry.event_day is not null
  group by transfer.mechanic, entry.event_day
  union
  select mechanic.no, entry.event_day
  from entry join mechanic on mechanic.id = entry.applied
  where entry.type = 'pass-sold.v1' and entry.outcome = 'accepted' and entry.event_day is not null
)
select mechanic.id, given.day from given join mechanic on mechanic.no = given.mechanic order by given.day
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """Versions that applied, each with the last event date on which it did."""

    contracts: dict[ContractKey, dt.date]
    mechanics: dict[MechanicKey, dt.date]


def applied(connection: psycopg.Connection, file: ProgrammeFile) -> Applied:
    """What the books know of the versions of `file`, which is the programme in force there."""
    contracts = {(PartyId(party), first): last for party, first, last in connection.execute(_CONTRACTS)}
    mechanics: dict[MechanicKey, dt.date] = {}
    for mechanic, day in connection.execute(_MECHANICS, {"codes": [int(code) for code in _GIVING]}):
        version = _version_on(file, MechanicId(mechanic), day)
        if version is not None:
            mechanics[version] = day
    return Applied(contracts, mechanics)


def _version_on(file: ProgrammeFile, mechanic: MechanicId, day: dt.date) -> MechanicKey | None:
    for each in file.mechanics:
        if each.id == mechanic and each.valid_from <= day and (each.valid_to is None or day <= each.valid_to):
            return each.id, each.valid_from
    return None
