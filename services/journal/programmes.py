"""Programme files in the books: every version that was applied, and the one in force."""

import hashlib
import json

import psycopg

from schemas.programme import ProgrammeFile
from schemas.topics import TOPICS
from services.journal.names import register

INPUT_TOPICS = tuple(topic.name for topic in TOPICS if "accrual" in topic.consumers)
"""Catalogue names of the topics that booking reads."""


def store(connection: psycopg.Connection, file: ProgrammeFile, text: str) -> bool:
    """Stores a programme file and gives numbers to its names; returns False where this very content is in force already."""
    body = file.model_dump_json(by_alias=True)
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    row = connection.execute("select sha256 from programme order by no desc limit 1").fetchone()
    register(connection, file, INPUT_TOPICS)
    if row is not None and row[0] == sha256:
        return False
    connection.execute("insert into programme (sha256, text, body) values (%s, %s, %s)", (sha256, text, body))
    return True


def load(connection: psycopg.Connection) -> ProgrammeFile:
    """The programme in force. Raises `NoProgramme` where none was applied."""
    row = connection.execute("select body from programme order by no desc limit 1").fetchone()
    if row is None:
        raise NoProgramme
    return ProgrammeFile.model_validate_json(json.dumps(row[0]))


class NoProgramme(LookupError):
    """No programme was applied to these books."""

    def __init__(self) -> None:
        super().__init__("no programme was applied: clh programme apply FILE")
