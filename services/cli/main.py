"""The entry point of `clh`: puts the groups of commands together.

A group is a module in this folder that offers `app`, a Typer application, and has its line below. A group imports Kafka, SQLAlchemy and
the like inside its commands, so that `clh --help` stays fast however much the groups need.
"""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import (
    accounts,
    bank,
    clearing,
    demo,
    dev,
    dispute,
    dlq,
    events,
    explain,
    funding,
    ledger,
    member,
    partner,
    people,
    programme,
    recon,
    report,
    risk,
    run,
    scenario,
    seal,
    settlement,
    window,
)
from services.cli.trouble import Guarded

app = typer.Typer(
    name="clh",
    cls=Guarded,
    help="Coalition Clearing House: points and discounts of a coalition, booked from its purchases and settled every night.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,  # locals can hold what senders sent
)
app.add_typer(accounts.app, name="accounts")
app.add_typer(bank.app, name="bank")
app.add_typer(clearing.app, name="clearing")
app.command(name="demo")(demo.demo)
app.add_typer(dev.app, name="dev")
app.add_typer(dispute.app, name="dispute")
app.add_typer(dlq.app, name="dlq")
app.add_typer(events.app, name="events")
app.add_typer(explain.app, name="explain")
app.add_typer(funding.app, name="funding")
app.add_typer(ledger.app, name="ledger")
app.add_typer(member.app, name="member")
app.add_typer(partner.app, name="partner")
app.add_typer(people.app, name="people")
app.add_typer(programme.app, name="programme")
app.add_typer(recon.app, name="recon")
app.add_typer(report.app, name="report")
app.add_typer(risk.app, name="risk")
app.add_typer(run.app, name="run")
app.add_typer(scenario.app, name="scenario")
app.add_typer(seal.app, name="seal")
app.command(name="verify")(seal.verify)
app.add_typer(settlement.app, name="settlement")
app.add_typer(window.app, name="window")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"clh {version('coalition-clearing-house')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")] = False,
) -> None:
    """What holds for all commands: addresses come from the environment (CLH_POSTGRES_URI, CLH_KAFKA_BOOTSTRAP), or from `clh dev up`."""
