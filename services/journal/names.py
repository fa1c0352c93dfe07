"""Numbers for the names that journal rows refer to: parties, contract versions, mechanics, units, sources, topics."""

from collections.abc import Iterable
from datetime import date

import psycopg

from clearing.entries import POINTS, PURCHASES, STAMPS
from schemas.ids import ContractNo, MechanicId, MechanicNo, PartyId, PartyNo
from schemas.programme import ProgrammeFile


class Names:
    """Both directions of every table of names, read once for each process."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.party: dict[PartyId | None, PartyNo | None] = {None: None}
        self.party_id: dict[int | None, PartyId | None] = {None: None}
        self.contract: dict[tuple[PartyId, date], ContractNo] = {}
        self.contract_from: dict[int | None, date | None] = {None: None}
        self.mechanic: dict[MechanicId | None, MechanicNo | None] = {None: None}
        self.mechanic_id: dict[int | None, MechanicId | None] = {None: None}
        self.unit: dict[str, int] = {}
        self.unit_id: dict[int, str] = {}
        self.source: dict[str, int] = {}
        self.source_uri: dict[int | None, str] = {}
        self.topic: dict[str, int] = {}
        self.topic_name: dict[int, str] = {}
        self.read(connection)

    def read(self, connection: psycopg.Connection) -> None:
        """Reads all names again; they are only ever added to."""
        for no, name in connection.execute("select no, id from party"):
            self.party[PartyId(name)], self.party_id[no] = no, PartyId(name)
        for no, party, valid_from in connection.execute("select no, party, valid_from from contract"):
            owner = self.party_id[party]
            assert owner is not None
            self.contract[owner, valid_from], self.contract_from[no] = no, valid_from
        for no, name in connection.execute("select no, id from mechanic"):
            self.mechanic[MechanicId(name)], self.mechanic_id[no] = no, MechanicId(name)
        for no, name in connection.execute("select no, id from unit"):
            self.unit[name], self.unit_id[no] = no, name
        for no, name in connection.execute("select no, uri from source"):
            self.source[name], self.source_uri[no] = no, name
        for no, name in connection.execute("select no, name from topic"):
            self.topic[name], self.topic_name[no] = no, name


def register(connection: psycopg.Connection, file: ProgrammeFile, topics: Iterable[str]) -> None:
    """Gives numbers to all names of a programme that have none yet."""
    cursor = connection.cursor()
    parties = [party.id for party in file.parties]
    cursor.execute("insert into party (id) select unnest(%s::text[]) on conflict do nothing", (parties,))
    versions = [(contract.party, contract.valid_from) for contract in file.contracts]
    cursor.execute(
        "insert into contract (party, valid_from) select p.no, v.day from unnest(%s::text[], %s::date[]) v (id, day) join party p on p.id = v.id "
        "on conflict do nothing",
        ([party for party, _ in versions], [day for _, day in versions]),
    )
    cursor.execute("insert into mechanic (id) select unnest(%s::text[]) on conflict do nothing", ([mechanic.id for mechanic in file.mechanics],))
    cursor.execute("insert into unit (id) select unnest(%s::text[]) on conflict do nothing", (units(file),))
    sources = [f"/{role}/{party}" for party in parties for role in ("partners", "banks", "operator")]
    cursor.execute("insert into source (uri) select unnest(%s::text[]) on conflict do nothing", (sources,))
    cursor.execute("insert into topic (name) select unnest(%s::text[]) on conflict do nothing", (list(topics),))


def units(file: ProgrammeFile) -> list[str]:
    """What amounts of the journal are in: points, purchases, stamps, and every currency of the programme and its contracts."""
    prices = [price.currency for contract in file.contracts for price in (contract.issue, contract.redeem) if price is not None]
    return list(dict.fromkeys([POINTS, PURCHASES, STAMPS, *file.programme.currencies, *prices]))
