"""Whether a party or bank that a command is about is one of the programme's: a name that is typed wrong gets no answer that reads like one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.cli.output import fail

if TYPE_CHECKING:
    import psycopg

UNKNOWN_PARTY: Final = "unknown-party"
UNKNOWN_BANK: Final = "unknown-bank"
SENT: Final = "select 1 from source where split_part(uri, '/', 3) = %s limit 1"


def expect_party(connection: psycopg.Connection, party: str | None) -> None:
    """Ends the command, exit code 1, where the programme has no such party, and names those that it has. None: all are meant."""
    from services.journal.programmes import load

    if party is None:
        return
    known = sorted(one.id for one in load(connection).parties)
    if party not in known:
        raise fail(f"the programme has no party {party}; it has {', '.join(known)} [{UNKNOWN_PARTY}]")


def expect_bank(connection: psycopg.Connection, bank: str | None) -> None:
    """The same of a co-brand bank: a party whose kind is `bank`."""
    from services.journal.programmes import load

    if bank is None:
        return
    known = sorted(one.id for one in load(connection).parties if one.kind == "bank")
    if bank not in known:
        raise fail(f"the programme has no bank {bank}; it has {', '.join(known) or 'none'} [{UNKNOWN_BANK}]")


def expect_sender(connection: psycopg.Connection, sender: str | None) -> None:
    """The same of who has sent events: a party of the programme, or anyone under whose name something has come, such as one that is not entered yet."""
    if sender is not None and connection.execute(SENT, (sender,)).fetchone() is None:
        expect_party(connection, sender)
