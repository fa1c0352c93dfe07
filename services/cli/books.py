"""Whose books a command is about: those of the programme it is told, or of the only one there is; and of which day."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, overload

import typer

from services.cli.house import books, only_programme, servers

if TYPE_CHECKING:
    import psycopg

    from services.house import House

OneProgramme = Annotated[
    str | None, typer.Option("--programme", "-p", metavar="ID", help="Id of the programme; may be left out where only one is in force.", show_default=False)
]

AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DAY", help="Ages are counted up to this day; left out: today (UTC).", show_default=False)]


@overload
def as_day(text: str) -> date: ...
@overload
def as_day(text: None) -> None: ...
@overload
def as_day(text: str | None) -> date | None: ...
def as_day(text: str | None) -> date | None:
    """A day such as 2026-03-02; None stays None. Anything else ends the command as wrong usage."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day such as 2026-03-02", param_hint="DAY") from None


def as_of_day(text: str | None) -> date:
    """The day up to which ages are counted: the one that was told, or today in UTC."""
    return as_day(text) or datetime.now(UTC).date()


@contextlib.contextmanager
def books_of(programme: str | None) -> Iterator[tuple[House, str, psycopg.Connection]]:
    """The house, the programme's id, and a connection to its books. Ends the command where a server, or the programme, is not there."""
    with servers() as house:
        chosen = programme or only_programme(house)
        with books(house, chosen) as connection:
            yield house, chosen, connection


def named(house: House, programme: str) -> str:
    """What a suggested command needs to be about this programme: nothing where no other is in force."""
    return "" if house.programmes() == [programme] else f" --programme {programme}"
