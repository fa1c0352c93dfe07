"""The house as commands find it: from the addresses in the environment, or the local instance; with an exit code where it is not there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import NOT_RUNNING, fail

if TYPE_CHECKING:
    import psycopg

    from services.house import House

KAFKA_PATIENCE_S = 3.0

ProgrammeOption = Annotated[str, typer.Option("--programme", "-p", metavar="ID", help="Id of a programme in force.", show_default=False)]


@contextlib.contextmanager
def servers() -> Iterator[House]:
    """The house. Where there is none, none is made; that, and a server that cannot be started or reached, ends the command with exit code 3."""
    import psycopg
    from confluent_kafka import KafkaException

    from services.house import House
    from services.runtime.errors import LocalRuntimeError

    try:
        yield House.here(make=False)
    except LocalRuntimeError as error:
        raise fail(str(error), code=NOT_RUNNING) from None
    except psycopg.OperationalError as error:
        raise fail(f"PostgreSQL cannot be reached: {str(error).strip()}", code=NOT_RUNNING) from None
    except KafkaException as error:
        raise fail(f"Kafka cannot be reached: {error}", code=NOT_RUNNING) from None


@contextlib.contextmanager
def books(house: House, programme: str) -> Iterator[psycopg.Connection]:
    """The books of a programme; a programme that was never applied ends the command with exit code 1."""
    from services.journal.programmes import NoProgramme

    try:
        connection = house.books(programme)
    except NoProgramme:
        known = house.programmes()
        in_force = f"in force: {', '.join(known)}" if known else "none is in force yet: clh programme apply FILE"
        raise fail(f"there is no programme {programme}; {in_force}") from None
    with connection:
        yield connection


@contextlib.contextmanager
def broker(programme: str | None) -> Iterator[tuple[str, str]]:
    """Kafka's address and the programme's id, for commands that senders use: with both told, no database is needed."""
    from services.settings import settings

    told = settings()
    if told.kafka_bootstrap and programme is not None:
        from confluent_kafka import KafkaException

        expect_kafka(told.kafka_bootstrap)
        try:
            yield told.kafka_bootstrap, programme
        except KafkaException as error:
            raise fail(f"Kafka cannot be reached: {error}", code=NOT_RUNNING) from None
        return
    with servers() as house:
        expect_kafka(house.kafka_bootstrap)
        yield house.kafka_bootstrap, programme or only_programme(house)


def expect_kafka(bootstrap: str) -> None:
    """Ends the command with exit code 3 where Kafka gives no answer within some seconds: its client would go on trying."""
    from services.runtime.kafka import broker_answers

    if not broker_answers(bootstrap, patience_s=KAFKA_PATIENCE_S):
        raise fail(f"Kafka does not answer at {bootstrap}: clh dev up, or CLH_KAFKA_BOOTSTRAP", code=NOT_RUNNING)


def only_programme(house: House) -> str:
    """The programme in force, where there is one."""
    found = house.programmes()
    if not found:
        raise fail("no programme is in force yet: clh programme apply FILE")
    if len(found) > 1:
        raise fail(f"several programmes are in force, name one with --programme: {', '.join(found)}")
    return found[0]
