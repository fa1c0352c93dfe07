"""A programme whose books were removed while processes worked for it: they end, each by itself, and the others go on."""

import psycopg
from psycopg.errors import InvalidSchemaName, UndefinedTable

from services.house import House
from services.journal.programmes import NoProgramme

GONE = 4
"""Exit code of a process whose programme is gone: whoever started it together with others lets these go on."""

REMOVED = (NoProgramme, UndefinedTable, InvalidSchemaName)
"""What is met where books were: nothing, or for a moment some of their tables."""


def is_gone(house: House, programme: str) -> bool:
    """Whether the programme has no books any more. False where nobody can be asked."""
    try:
        house.books(programme).close()
    except REMOVED:
        return True
    except psycopg.Error:
        return False
    return False
