"""`clh dev`: Kafka and PostgreSQL on this machine."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import FAILED, NOT_RUNNING, Format, Output, fail, out, print_json, print_table, progress_bars, say, say_aside

if TYPE_CHECKING:
    from services.runtime.local import Runs

app = typer.Typer(help="Kafka and PostgreSQL on this machine: up, down, status, doctor, reset.", no_args_is_help=True)

StateDirOption = Annotated[Path | None, typer.Option("--state-dir", help="The folder of the instance (CLH_STATE_DIR, or `.clh` here).", show_default=False)]
DockerOption = Annotated[bool, typer.Option("--docker", help="In containers, by docker compose, instead of processes.")]


def _instance(state_dir: Path | None, *, docker: bool = False) -> Runs:
    from services.runtime.local import instance_at
    from services.settings import settings

    return instance_at(state_dir or settings().state_dir, docker=docker)


@app.command()
def up(state_dir: StateDirOption = None, docker: DockerOption = False, output: Output = Format.TABLE) -> None:
    """Start Kafka and PostgreSQL, unless they run, and wait until both answer.

    The first start downloads Kafka (44 MB); later ones take about three seconds.

    Examples:

        clh dev up

        clh dev up --state-dir /tmp/second      # a second instance beside the first

        eval "$(clh dev env)"                   # then every program finds it
    """
    from services.runtime.errors import LocalRuntimeError

    instance = _instance(state_dir, docker=docker)
    ran_before = any(server.pid for server in instance.status())
    try:
        with progress_bars() as report, ThreadPoolExecutor(1) as beside:
            starting = beside.submit(instance.up, report)
            try:
                starting.result()
            except KeyboardInterrupt:
                say_aside("interrupted: stopping what is being started")
                wait([starting])  # what is half started cannot be found to be stopped
                raise _interrupted(instance, ran_before=ran_before) from None
    except LocalRuntimeError as error:
        say_aside("`clh dev doctor` says more.")
        raise fail(str(error)) from error
    _show(instance, output)


@app.command()
def down(state_dir: StateDirOption = None, output: Output = Format.TABLE) -> None:
    """Stop Kafka and PostgreSQL. Their data stays.

    Example:

        clh dev down
    """
    instance = _instance(state_dir)
    waiting = _still_running(instance)
    with progress_bars() as report:
        report("Stopping", 0, None)
        stopped = instance.down()
    if output is Format.JSON:
        print_json({"stopped": stopped})
    else:
        out.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
    if waiting:
        named = ", ".join(f"{command} (process {pid})" for pid, command in waiting)
        say_aside(f"still running, and waiting for these servers now: {named}")


@app.command()
def status(state_dir: StateDirOption = None, output: Output = Format.TABLE) -> None:
    """Say what runs and whether it answers. Exit code 0: all of it; 3: not.

    Example:

        clh dev status --output json
    """
    instance = _instance(state_dir)
    _show(instance, output)
    if not all(server.answers for server in instance.status()):
        raise typer.Exit(NOT_RUNNING)


@app.command()
def env(state_dir: StateDirOption = None, output: Output = Format.TABLE) -> None:
    """Print the addresses as shell commands, or as JSON; the password included.

    Example:

        eval "$(clh dev env)" && psql "$CLH_POSTGRES_URI"
    """
    from services.runtime.errors import LocalRuntimeError

    try:
        addresses = _instance(state_dir).addresses
    except LocalRuntimeError as error:
        raise fail(str(error), code=NOT_RUNNING) from error
    told = {"CLH_POSTGRES_URI": addresses.postgres_uri, "CLH_KAFKA_BOOTSTRAP": addresses.kafka_bootstrap}
    if output is Format.JSON:
        print_json(told)
        return
    for name, value in told.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def doctor(state_dir: StateDirOption = None, output: Output = Format.TABLE) -> None:
    """Look for what is wrong and say what to do. Exit code 0: nothing; 1: something.

    Example:

        clh dev doctor
    """
    from services.runtime.doctor import Verdict, examine
    from services.runtime.local import Instance
    from services.settings import settings

    with progress_bars() as report:
        report("Looking", 0, None)
        findings = examine(Instance(state_dir or settings().state_dir))
    if output is Format.JSON:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(("", "what", "found", "what to do"), [(f.verdict.value, f.check, f.found, f.advice) for f in findings])
    if any(finding.verdict is Verdict.WRONG for finding in findings):
        raise typer.Exit(FAILED)


@app.command()
def reset(
    state_dir: StateDirOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Stop Kafka and PostgreSQL and remove all their data.

    Example:

        clh dev reset --yes
    """
    instance = _instance(state_dir)
    if not yes:
        typer.confirm(f"Remove {instance.root} with all data?", abort=True, err=True)
    instance.reset()
    if output is Format.JSON:
        print_json({"removed": str(instance.root)})
    else:
        say(f"removed: {instance.root}")


def _interrupted(instance: Runs, *, ran_before: bool) -> typer.Exit:
    """After ^C: stops what this command had started; what ran before it goes on."""
    if not ran_before:
        instance.down()
        return fail("interrupted; what had been started was stopped again")
    there = [f"{server.server} (process {server.pid})" for server in instance.status() if server.pid]
    return fail(f"interrupted; running: {', '.join(there) or 'nothing'}; clh dev down stops it")


def _still_running(instance: Runs) -> list[tuple[int, str]]:
    """Processes of this house, `clh run …`, whose servers these are; of a family the eldest."""
    from services.runtime.errors import LocalRuntimeError
    from services.runtime.process import processes_of

    try:
        return processes_of(instance.root, instance.addresses.postgres_uri)
    except LocalRuntimeError:
        return []


def _show(instance: Runs, output: Format) -> None:
    """Print how each server is."""
    states = instance.status()
    if output is Format.JSON:
        print_json({"state_dir": str(instance.root), "servers": [asdict(state) for state in states]})
        return
    say_aside(f"the house in {instance.root}")
    rows = [(s.server, "answers" if s.answers else "no answer" if s.pid else "down", s.address, s.version, s.pid, s.memory_mb or None, s.log) for s in states]
    print_table(("server", "state", "address", "version", "process", "MB", "log"), rows)
