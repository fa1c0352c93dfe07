"""`clh run`: the processes of the house. Each runs until SIGTERM or SIGINT, then finishes what it has begun and ends."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.house import books, servers
from services.cli.output import FAILED, fail

if TYPE_CHECKING:
    from services.house import House
    from services.outage import Outage
    from services.stop import Stop

app = typer.Typer(help="Processes: accrual, relay, cron, insights; or all of them together.", no_args_is_help=True)

WithParent = Annotated[bool, typer.Option("--with-parent", hidden=True, help="Stop when standard input ends.")]
Processors = Annotated[
    int, typer.Option("--processors", "-n", min=1, max=64, help="Processes that share the partitions; more than there are partitions stay idle.")
]
SomeProgrammes = Annotated[list[str] | None, typer.Option("--programme", "-p", metavar="ID", help="Only this programme; may be given several times.")]
INSIGHTS = "services.insights.main"


@app.callback()
def group() -> None:
    """Logs go to standard error, as CLH_LOG_FORMAT (text, json) and CLH_LOG_LEVEL say. Exit code 0: stopped when told to; 1: something ended by itself."""


@app.command()
def accrual(programme: SomeProgrammes = None, processors: Processors = 1, with_parent: WithParent = False) -> None:
    """Book events: from Kafka into the journal.

    Without --programme, those of all programmes, also of those that come into force later: a process for each. Several processors of a programme,
    here or on other machines, share the partitions; when one dies, the others take its partitions over. With CLH_SENDER_KEYS every event must be
    signed by its sender.

    Examples:

        clh run accrual

        clh run accrual --programme harvest --processors 2
    """
    stop = _begin(with_parent=with_parent)
    with servers() as house:
        _await_books(house, stop)
        for one in programme or ():
            with books(house, one):
                pass
        if programme is not None and len(programme) == processors == 1:
            _book(house, programme[0], stop)
            return
        from services.outage import Outage
        from services.processes.children import run_together

        outage = Outage()
        commands = _processors(programme or (), processors)
        later = None if programme else lambda: _processors(_in_force(house, outage), processors)
        raise typer.Exit(run_together(commands, stop, environment=_environment(house), later=later))


@app.command()
def relay(programme: SomeProgrammes = None, with_parent: WithParent = False) -> None:
    """Send answers from the outbox to Kafka: `points.accruals.v1`, `events.rejected.v1`, `clearing.events.v1`.

    One relay sends for each programme; a second one waits until the first is gone. Without --programme, all programmes are relayed, those that
    come into force later too.

    Examples:

        clh run relay

        clh run relay --programme harvest
    """
    stop = _begin(with_parent=with_parent)
    with servers() as house:
        _await_books(house, stop)
        for one in programme or ():
            with books(house, one):
                pass
        from services.processes.relays import run_relays

        if not run_relays(house, stop, programme or ()):
            raise typer.Exit(FAILED)


@app.command()
def cron(with_parent: WithParent = False) -> None:
    """Clear each programme's window when its cut-off has passed: looked at every minute.

    Only where the platform has no cron of its own. Two of them do nothing twice.

    Example:

        clh run cron
    """
    stop = _begin(with_parent=with_parent)
    with servers() as house:
        _await_books(house, stop)
        from services.processes.cron import run_cron

        run_cron(house, stop)


@app.command()
def insights(programme: SomeProgrammes = None, with_parent: WithParent = False) -> None:
    """Keep live figures from the answers: by partner and hour, and signals of cards that are used too often. Books nothing.

    Without --programme, of all programmes, those that come into force later too. `clh partner live` shows them.

    Examples:

        clh run insights

        clh run insights --programme harvest
    """
    stop = _begin(with_parent=with_parent)
    with servers() as house:
        _await_books(house, stop)
        from services.processes.children import run_together

        if not _has_insights():
            raise fail("this installation has no live figures")
        raise typer.Exit(run_together(_insights(programme or ()), stop, environment=_environment(house)))


@app.command(name="all")
def everything(programme: SomeProgrammes = None, processors: Processors = 1, with_parent: WithParent = False) -> None:
    """Run accrual, relay, cron and insights together, and stop them together: a whole house on one machine.

    Kafka and PostgreSQL are started unless they run (`clh dev up`); they stay when this ends.

    Examples:

        clh programme apply examples/harvest.yaml && clh run all

        clh run all --programme harvest --processors 2
    """
    stop = _begin(with_parent=with_parent)
    with servers() as house:
        _await_books(house, stop)
        from services.processes.children import CLH, run_together

        chosen = programme or house.programmes()
        if not chosen:
            raise fail("no programme is in force yet: clh programme apply FILE")
        commands: dict[str, Sequence[str]] = {}
        for one in chosen:
            with books(house, one):
                commands[f"accrual {one}"] = (*CLH, "run", "accrual", "--programme", one, "--processors", str(processors), "--with-parent")
        commands["relay"] = (*CLH, "run", "relay", *(word for one in programme or () for word in ("--programme", one)), "--with-parent")
        commands["cron"] = (*CLH, "run", "cron", "--with-parent")
        if _has_insights():
            commands |= _insights(chosen)
        raise typer.Exit(run_together(commands, stop, environment=_environment(house)))


def _processors(programmes: Sequence[str], processors: int) -> dict[str, Sequence[str]]:
    """So many processes for each programme, by name."""
    from services.processes.children import CLH

    named = {(f"accrual {one}" if processors == 1 else f"accrual {one} {no}"): one for one in programmes for no in range(1, processors + 1)}
    return {name: (*CLH, "run", "accrual", "--programme", one, "--with-parent") for name, one in named.items()}


def _in_force(house: House, outage: Outage) -> Sequence[str]:
    """The programmes that have books now; none while PostgreSQL is away."""
    import psycopg

    from services.processes.children import LATER_S

    try:
        return house.programmes()
    except psycopg.OperationalError as error:
        outage.say(error, LATER_S)
        return ()


def _begin(*, with_parent: bool) -> Stop:
    """Sets up the log and what stops the process."""
    from services import logs
    from services.settings import settings
    from services.stop import Stop

    told = settings()
    logs.configure(told.log_format, told.log_level)
    stop = Stop().on_signals()
    return stop.with_parent() if with_parent else stop


def _await_books(house: House, stop: Stop) -> None:
    """Returns when PostgreSQL answers, or when it is time to stop."""
    import psycopg

    from services.outage import Outage

    outage = Outage()
    while not stop():
        try:
            psycopg.connect(house.postgres_uri).close()
        except psycopg.OperationalError as error:
            stop.wait(outage.pause_s(error))
        else:
            return
    raise typer.Exit


def _book(house: House, programme: str, stop: Stop) -> None:
    import structlog
    from confluent_kafka import KafkaException

    from services.accrual.incoming import SenderKeys
    from services.accrual.processor import TooManyDeadLetters
    from services.outage import Outage
    from services.processes.gone import GONE, REMOVED, is_gone
    from services.settings import settings

    log = structlog.get_logger().bind(programme=programme)
    try:
        keys = SenderKeys.read(settings().sender_keys)
    except (OSError, ValueError, KeyError) as error:
        raise fail(f"CLH_SENDER_KEYS: {settings().sender_keys} cannot be read as keys of senders: {error}") from None
    outage = Outage(programme=programme)
    while not stop():
        try:
            processor = house.processor(programme, keys=keys)
            log.info("booking")
            processor.run(stop)
        except TooManyDeadLetters as error:
            raise fail(f"stopped before a whole topic is refused: {error}; something is wrong with what is sent, or with this version") from None
        except (*REMOVED, KafkaException) as error:
            if is_gone(house, programme):
                log.warning("the books of this programme are gone: its processor ends")
                raise typer.Exit(GONE) from None
            stop.wait(outage.pause_s(error))
    log.info("stopped")


def _environment(house: House) -> dict[str, str]:
    """What child processes are told: the addresses that were found."""
    return {**os.environ, "CLH_POSTGRES_URI": house.postgres_uri, "CLH_KAFKA_BOOTSTRAP": house.kafka_bootstrap}


def _has_insights() -> bool:
    import importlib.util

    return importlib.util.find_spec("services.insights") is not None and importlib.util.find_spec(INSIGHTS) is not None


def _insights(programmes: Sequence[str]) -> dict[str, Sequence[str]]:
    """A process for each programme; without any, one that looks for all there are."""
    import sys

    if not programmes:
        return {"insights": (sys.executable, "-m", INSIGHTS)}
    return {f"insights {one}": (sys.executable, "-m", INSIGHTS, one) for one in programmes}
