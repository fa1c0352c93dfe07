"""`clh settlement propose-default` and `default`, and how a default is told afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.output import Format, Output, print_json, print_table, refused, say
from services.cli.people import Key, PassphraseFile, Person, refusals, sign_as

if TYPE_CHECKING:
    import psycopg

    from clearing.default_loss import Borne
    from schemas.ids import PartyId
    from schemas.programme import ProgrammeFile
    from services.settlement.defaulted import DefaultedRun


Parties = Annotated[list[str], typer.Argument(metavar="PARTY...", help="Every party that has not paid in this window.", show_default=False)]


def propose_default(
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="The business day of the window.")],
    parties: Parties,
    person: Person,
    key: Key,
    passphrase_file: PassphraseFile = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Propose that parties have not paid by their deadline, with a signature over who bears how much. Another person declares it; nothing is booked yet.

    Exit code 0: it is proposed; 1: it was refused, and nothing has changed.

    Example:

        clh settlement propose-default 2026-03-02 grocer --as mia --key mia.pem
    """
    from services.risk.default import propose, to_propose
    from services.risk.errors import RiskError

    day, now = as_day(window), datetime.now(UTC)
    with books_of(programme) as (_, chosen, connection), refusals(), refused(RiskError):
        file, today = _in_force(connection, now)
        said = to_propose(connection, file, day, _named(parties), person, now, today)
        propose(connection, file, today, said, sign_as(connection, person, key, passphrase_file, said.signed()))
    if output is Format.JSON:
        print_json({"programme": chosen, "window": day, "run": said.run, "proposed_by": person, "borne": _borne_as_json(said.borne)})
        return
    _show_borne(said.borne, day, "Proposed for")
    say(f"Nothing is booked yet: another person declares it with clh settlement default {day}.")


def default(
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="The business day of the window.")],
    parties: Parties,
    person: Person,
    key: Key,
    passphrase_file: PassphraseFile = None,
    programme: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Declare what another person has proposed: parties have not paid by their deadline. A further run of the window follows, without what they owe.

    What they have paid in beforehand is used first; the rest is borne as the programme's `default` says: by the operator, or by the others in proportion to
    what the defaulter owes each. What is confirmed stays final; the further run pays only the differences, and is approved like any other.

    Exit code 0: the window is netted again; 1: it was refused, and nothing has changed.

    Example:

        clh settlement default 2026-03-02 grocer --as carl --key carl.pem
    """
    from services.night.run import clear_due
    from services.risk.default import declare, to_declare
    from services.risk.errors import RiskError
    from services.settlement.runs import newest_run

    day, now = as_day(window), datetime.now(UTC)
    with books_of(programme) as (house, chosen, connection), refusals(), refused(RiskError):
        file, today = _in_force(connection, now)
        said = to_declare(connection, file, day, _named(parties), person, now, today)
        made = declare(connection, file, today, said, sign_as(connection, person, key, passphrase_file, said.signed()))
        clear_due(house, chosen, half_done_only=True)
        run = newest_run(connection, day)
    if output is Format.JSON:
        told = {"programme": chosen, "window": day, "run": run.no, "replaces": made.run, "state": run.state, "borne": _borne_as_json(made.borne)}
        print_json(told)
        return
    _show_borne(made.borne, day, "Default in")
    say(f"Run {run.no} takes the place of run {made.run}; the window is {run.state}: submit and approve it.")


def _in_force(connection: psycopg.Connection, now: datetime) -> tuple[ProgrammeFile, date]:
    """The programme file, and the day that it is where the programme is."""
    from zoneinfo import ZoneInfo

    from services.journal.programmes import load

    file = load(connection)
    return file, now.astimezone(ZoneInfo(file.programme.timezone)).date()


def _named(parties: list[str]) -> list[PartyId]:
    from schemas.ids import PartyId

    return [PartyId(party) for party in parties]


def _borne_as_json(borne: Sequence[Borne]) -> list[dict[str, Any]]:
    return [
        {"kind": line.code.name.lower(), "bearer": line.bearer, "for": line.defaulter, "currency": line.currency, "amount_minor": line.amount_minor}
        for line in borne
    ]


def _show_borne(borne: Sequence[Borne], day: date, title: str) -> None:
    from services.report.words import amount_in_words

    rows = [
        (
            line.defaulter,
            line.bearer,
            "its own funds" if line.code.name == "ADJUSTMENT" else "loss",
            line.currency,
            amount_in_words(line.amount_minor, line.currency),
        )
        for line in borne
    ]
    print_table(("not paid by", "borne by", "as", "currency", "amount"), rows, title=f"{title} window {day}", right=("amount",), empty="Nobody bears anything.")


def default_as_json(run: DefaultedRun, replaced_by: int | None) -> dict[str, Any]:
    """Who had not paid a run, how much, and who bears it, as plain values."""
    return {
        "run": run.no, "replaced_by": replaced_by,
        "unpaid": [{"party": one.party, "currency": one.currency, "amount_minor": one.amount_minor, "funds_minor": one.used_minor} for one in run.unpaid],
        "borne": [{"bearer": one.bearer, "for": one.defaulter, "currency": one.currency, "amount_minor": one.amount_minor} for one in run.losses],
    }  # fmt: skip


def show_default(default: dict[str, Any], day: date) -> None:
    """The same for people."""
    from schemas.money import to_text

    for one in default["unpaid"]:
        money = partial(to_text, currency=one["currency"])
        losses = [loss for loss in default["borne"] if (loss["for"], loss["currency"]) == (one["party"], one["currency"])]
        bearers = [f"{money(loss['amount_minor'])} by {loss['bearer']}" for loss in losses]
        own = [f"{money(one['funds_minor'])} by its own funds"] if one["funds_minor"] else []
        then = "A further run is still to be made: clh clearing resume" if default["replaced_by"] is None else f"Run {default['replaced_by']} replaces it"
        words = f"Default: {one['party']} had not paid {money(one['amount_minor'])} {one['currency']} of run {default['run']}, window {day}; borne: "
        say(f"{words}{', '.join([*own, *bearers])}. {then}.")
