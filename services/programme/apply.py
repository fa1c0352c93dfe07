"""Putting a programme file into force: checked against what the books already rest on, then stored."""

from __future__ import annotations

import psycopg

from schemas.programme import ProgrammeFile
from services.documents.findings import Severity
from services.journal.programmes import NoProgramme, load, store
from services.programme.advice.clashes import kinds_are_booked
from services.programme.booked import applied
from services.programme.lint import placed
from services.programme.read import ProgrammeError
from services.programme.versions import refuse_changes


def apply_programme(connection: psycopg.Connection, file: ProgrammeFile, text: str, name: str) -> bool:
    """Store a programme, in one transaction; whether that changed anything.

    `text` is the YAML that `file` was read from, `name` its name in findings. Raises ProgrammeError where it uses a kind of mechanic that is
    not booked yet, or changes what applied to booked events.
    """
    refused = list(kinds_are_booked(file))
    with connection.transaction():
        try:
            old = load(connection)
        except NoProgramme:
            pass
        else:
            versions = applied(connection, old)
            refused += refuse_changes(old, file, versions.contracts, versions.mechanics)
        if refused:
            raise ProgrammeError(placed(refused, text, name, Severity.ERROR))
        return store(connection, file, text)
