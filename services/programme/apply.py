"""Putting a programme file into force: checked against what the books already rest on, then stored."""

from __future__ import annotations

from schemas.ids import ProgrammeId
from schemas.programme import ProgrammeFile
from services.documents.findings import Severity
from services.house import House
from services.journal.programmes import load
from services.programme.advice.clashes import kinds_are_booked
from services.programme.advice.effects import holidays_are_known
from services.programme.booked import applied
from services.programme.lint import placed
from services.programme.read import ProgrammeError
from services.programme.versions import refuse_changes


def apply_programme(house: House, file: ProgrammeFile, text: str, name: str) -> bool:
    """Put a programme into force in a house; whether that changed anything.

    `text` is the YAML that `file` was read from, `name` its name in findings. Raises ProgrammeError where it uses a kind of mechanic that is
    not booked yet, names a country without known holidays, or changes what applied to booked events.
    """
    refused = [*kinds_are_booked(file), *holidays_are_known(file)]
    old = in_force(house, file.programme.id)
    if old is not None:
        with house.books(file.programme.id) as connection:
            versions = applied(connection, old)
        refused += refuse_changes(old, file, versions.contracts, versions.mechanics)
    if refused:
        raise ProgrammeError(placed(refused, text, name, Severity.ERROR))
    return house.apply(file, text)


def in_force(house: House, programme: ProgrammeId) -> ProgrammeFile | None:
    """The version of a programme that is in force; None where it was never applied."""
    if programme not in house.programmes():
        return None
    with house.books(programme) as connection:
        return load(connection)
