"""Arrays in the text form of PostgreSQL, for statements that take a batch as columns: `from unnest(…)`.

Rows that change a table go in as arrays and not through a temporary table: nothing has to be made, filled and emptied for each batch. Written by
hand, since that takes a tenth of the driver's time for lists of this length. They are handed over as parameters, never spliced into a statement.
"""

from collections.abc import Iterable, Sequence


def plain(values: Iterable[int | str]) -> str:
    """Numbers, days and digests: what can hold no comma, brace, quote, backslash or space. The word NULL is no value."""
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Sequence[str]) -> str:
    """Any text. Hardly any holds what has to be escaped, which is seen in all of them at once."""
    joined = '","'.join(values)
    if "\\" in joined or joined.count('"') != 2 * max(0, len(values) - 1):
        joined = '","'.join([value.replace("\\", "\\\\").replace('"', '\\"') for value in values])
    return f'{{"{joined}"}}' if values else "{}"
