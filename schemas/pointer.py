"""JSON pointers (RFC 6901)."""

from collections.abc import Sequence

Path = tuple[str | int, ...]
"""Keys and positions from the top of a document to a place in it."""


def pointer_to(path: Sequence[str | int]) -> str:
    """The pointer to a place: ``("data", "lines", 0)`` is ``/data/lines/0``, no steps are the whole document."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
