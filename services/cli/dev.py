"""`clh dev`: Kafka and PostgreSQL on this machine."""

from __future__ import annotations

import typer

app = typer.Typer(help="Kafka and PostgreSQL on this machine: up, down, status, doctor, reset.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Kafka and PostgreSQL on this machine, without Docker and without anything installed."""
