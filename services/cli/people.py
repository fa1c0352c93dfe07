"""`clh people`: who may sign runs, and with which key."""

from __future__ import annotations

import contextlib
import getpass
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, books_of
from services.cli.output import Format, Output, fail, print_json, print_table, refused, say
from services.cli.typed import no_card_number

if TYPE_CHECKING:
    import psycopg

    from services.settlement.people import PersonKey

app = typer.Typer(help="People who sign settlement runs: keygen, add, list, revoke.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits, and . _ - between them.", callback=no_card_number)]
Person = Annotated[str, typer.Option("--as", metavar="NAME", help="Who signs, as enrolled with clh people add.", callback=no_card_number)]
Doer = Annotated[
    str | None, typer.Option("--as", metavar="NAME", help="Who does it: it is kept. Left out: who is logged in.", callback=no_card_number, show_default=False)
]
Key = Annotated[Path, typer.Option("--key", metavar="FILE", help="The person's private key, in encrypted PEM.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help="Read the passphrase from the first line of a file; asked for unless given.", show_default=False),
]


@app.callback()
def group() -> None:
    """Private keys never leave their owner's machine; the owner of the books enrols public ones. Every command reads the clock of its own machine."""


def refusals() -> AbstractContextManager[None]:
    """Ends a command with a sentence and the code of docs/errors.md where settlement, the bank or matching refuses something."""
    from clearing.approval import Refused
    from clearing.matching import MoveRefused
    from services.bank.errors import BankError
    from services.settlement.errors import SettlementError

    return refused(SettlementError, Refused, BankError, MoveRefused)


def passphrase(file: Path | None, *, confirm: bool = False) -> str:
    """The passphrase of a private key: from a file, or typed in without being shown. Ends the command, exit code 2, where nobody can be asked unseen."""
    if file is not None:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # there is no terminal: what is typed would be shown
        try:
            typed: str = typer.prompt("Passphrase of the private key", hide_input=True, confirmation_prompt=confirm, err=True)
        except getpass.GetPassWarning:
            raise fail("nobody can be asked for the passphrase here: --passphrase-file FILE reads it from the first line of a file", code=2) from None
    return typed


def sign_as(connection: psycopg.Connection, person: str, key: Path, passphrase_file: Path | None, message: bytes) -> bytes:
    """Signs here, with the key of this machine: only the signature goes to the books. The key has to be the one that is enrolled."""
    from services.settlement.errors import SettlementCode, SettlementError
    from services.settlement.keys import raw, read_private
    from services.settlement.people import newest_key

    enrolled = newest_key(connection, person)
    private = read_private(key, passphrase(passphrase_file))
    if raw(private) != enrolled.public_key:
        raise SettlementError(SettlementCode.WRONG_KEY, f"{key} is not the key of {person}, whose fingerprint is {enrolled.fingerprint}")
    return private.sign(message)


@app.command()
def keygen(
    private: Annotated[Path, typer.Option("--to", metavar="FILE", help="Where the private key goes; the public one goes beside it, with .pub behind.")],
    passphrase_file: PassphraseFile = None,
    output: Output = Format.TABLE,
) -> None:
    """Make a key pair on your own machine: the private key encrypted with a passphrase of 12 characters or more, the public key to be enrolled.

    It needs neither books nor a network. Keep the private key to yourself; give the public one, and its fingerprint by another way, to the administrator.

    Example:

        clh people keygen --to mia.pem
    """
    from services.settlement.keys import make_key

    public = private.with_name(private.name + ".pub")
    with refusals():
        fingerprint = make_key(private, public, passphrase(passphrase_file, confirm=True))
    if output is Format.JSON:
        print_json({"private_key": str(private), "public_key": str(public), "fingerprint": fingerprint})
        return
    say(f"{private}: the private key, encrypted; it stays with you")
    say(f"{public}: the public key, to be enrolled with clh people add")
    say(f"fingerprint {fingerprint}")


@app.command()
def add(
    name: Name,
    public_key: Annotated[Path, typer.Option("--public-key", metavar="FILE", help="The public key in PEM that the person handed in.")],
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Enrol a person with a public key, or give one whose key was revoked a new one. For the owner of the books only.

    Compare the fingerprint with the person by telephone. A key that was enrolled once, under whatever name, is refused.

    Example:

        clh people add mia --public-key mia.pem.pub --programme harvest
    """
    from services.settlement.keys import read_public
    from services.settlement.people import enrol

    with _owner(programme) as (chosen, connection), refusals():
        key = enrol(connection, name, read_public(public_key), datetime.now(UTC))
    _show(chosen, [key], output)


@app.command(name="list")
def list_(programme: OneProgramme = None, output: Output = Format.TABLE) -> None:
    """List people with their keys, and which are revoked.

    Example:

        clh people list --programme harvest
    """
    from services.settlement.people import all_keys

    with books_of(programme) as (_, chosen, connection):
        keys = all_keys(connection)
    _show(chosen, keys, output)


@app.command()
def revoke(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is kept.", callback=no_card_number)],
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Revoke a person's key: lost, or its owner has left. For the owner of the books only.

    Runs that are approved stay approved. What the key signed about others counts no more: another person approves, or the run is rejected.

    Example:

        clh people revoke mia --reason "has left" --programme harvest
    """
    from services.settlement.people import revoke as take_back

    if not reason.strip():
        raise typer.BadParameter("a key is revoked with a reason", param_hint="--reason")
    with _owner(programme) as (chosen, connection), refusals():
        key = take_back(connection, name, reason.strip(), datetime.now(UTC))
    _show(chosen, [key], output)


@contextlib.contextmanager
def _owner(programme: str | None) -> Iterator[tuple[str, Any]]:
    """The programme, and a connection with the rights of the login: those of the owner of the books, where it is theirs."""
    from services.journal.migrate import connect, schema_of

    with books_of(programme) as (house, chosen, _), connect(house.postgres_uri, schema_of(chosen), role=None, autocommit=True) as connection:
        yield chosen, connection


def _show(programme: str, keys: list[PersonKey], output: Format) -> None:
    if output is Format.JSON:
        document = [
            {"person": key.person, "fingerprint": key.fingerprint, "enrolled_at": key.enrolled_at, "revoked_at": key.revoked_at, "reason": key.reason}
            for key in keys
        ]
        print_json({"programme": programme, "people": document})
        return
    rows = [
        (key.person, key.fingerprint, "in force" if key.in_force else f"revoked: {key.reason}", key.enrolled_at.isoformat(timespec="seconds")) for key in keys
    ]
    empty = f"Nobody may sign for {programme} yet: clh people add"
    print_table(("person", "fingerprint (SHA-256)", "key", "enrolled"), rows, title=f"People who may sign for {programme}", optional=("enrolled",), empty=empty)
