"""Enrols members directly: the members of a scenario, who are there before the first event."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg

from schemas.ids import CardId, MemberId


def enrol(connection: psycopg.Connection, members: Iterable[tuple[MemberId, str, Mapping[str, Any], Sequence[CardId]]]) -> None:
    """Inserts members (id, kind, attributes) with their cards."""
    rows = list(members)
    with connection.transaction(), connection.cursor() as cursor:
        numbers = [no for (no,) in cursor.execute("select nextval('member_no') from generate_series(1, %s)", (len(rows),))]
        with cursor.copy("copy member (no, id, kind, attributes) from stdin") as copy:
            for no, (member, kind, attributes, _) in zip(numbers, rows, strict=True):
                copy.write_row((no, member, kind, json.dumps(dict(attributes), default=str)))
        with cursor.copy("copy card (card, member) from stdin") as copy:
            for no, (_, _, _, cards) in zip(numbers, rows, strict=True):
                for card in cards:
                    copy.write_row((card, no))
