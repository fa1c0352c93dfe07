"""`clh demo`: a coalition on real purchases, from Kafka to last night's settlement report."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import NOT_RUNNING, Format, Output, fail, print_json, progress_bars, say_aside

if TYPE_CHECKING:
    from schemas.report import SettlementReport
    from services.demo.bank.run import BankPlayed
    from services.demo.run import Clock, Played
    from services.demo.source import Purchases
    from services.house import House
    from services.runtime.progress import Progress
    from services.stop import Stop

YearOption = Annotated[bool, typer.Option("--year", help="The whole year instead of January.")]
DaysOption = Annotated[int | None, typer.Option("--days", min=1, max=365, help="Only so many days, from 1 January on.", show_default=False)]
BankOption = Annotated[
    bool, typer.Option("--bank", help="With a co-brand bank and a settlement bank: January is signed, paid and settled, and four things go wrong.")
]
KeepOption = Annotated[
    bool,
    typer.Option("--keep", help="Leave Kafka and PostgreSQL running afterwards; with --bank also the keys of the people who sign, and the bank's messages."),
]


def demo(year: YearOption = False, days: DaysOption = None, bank: BankOption = False, keep: KeepOption = False, output: Output = Format.TABLE) -> None:
    """Stream a month of real shopping baskets through Kafka and PostgreSQL, clear every night, and show last night's settlement.

    Departments of a chain become partners of a coalition (examples/demo.yaml); members enrol, buy, spend points and bring goods back, and senders
    make mistakes. Each day is published, booked and cleared; what an earlier demo left is removed first, and nothing else is touched. Kafka and
    PostgreSQL are started unless they run, and stopped again if the demo started them. SIGINT stops it in good order, a second one at once.

    With --bank the month has card transactions, three people sign every night, the operator's payments go to a bank on this machine, and its
    statements settle them (examples/demo-bank.yaml). One payment comes back, one line is disputed, the co-brand bank's file of a day has mistakes
    of more than ten kinds, and one party never pays; the report at the end explains them all.

    Examples:

        clh demo

        clh demo --bank --keep

        clh demo --days 3

        clh demo --year --keep
    """
    from confluent_kafka import KafkaException
    from psycopg import OperationalError

    from clearing.ports import Refusal
    from services.demo.bank.loopback import NoMockBank
    from services.demo.run import Clock
    from services.demo.source import FIRST_DAY, LAST_DAY, NoPurchases
    from services.demo.workers import WorkerEnded
    from services.documents.findings import FileError
    from services.runtime.errors import LocalRuntimeError
    from services.stop import Stop

    if bank and (year or days):
        raise typer.BadParameter("--bank always plays January: leave out --year and --days")
    clock, stop = Clock(), Stop().on_signals()
    last = LAST_DAY if year else date.fromordinal(FIRST_DAY.toordinal() + (days or 31) - 1)
    try:
        with _stopped_afterwards(keep=keep) as ours:
            with progress_bars() as progress:
                house, purchases = _begin(clock, last, progress, owned=ours)
                played, with_bank = _play(house, purchases, clock, progress, stop, bank=bank, keep=keep)
            if played is not None:
                _show(house, played, with_bank, clock, output, running=not ours)
    except LocalRuntimeError as error:
        say_aside("`clh dev doctor` says more.")
        raise fail(str(error), code=NOT_RUNNING) from None
    except (OperationalError, KafkaException) as error:
        raise fail(f"a server cannot be reached: {str(error).strip()}", code=NOT_RUNNING) from None
    except (NoPurchases, NoMockBank, WorkerEnded) as error:
        raise fail(str(error)) from None
    except FileError as error:
        raise fail(f"the demo's programme cannot be read: {error.findings[0].file}: {error.findings[0].reason}") from None
    except Refusal as refusal:
        raise fail(f"window {refusal.day} was not cleared; checks that do not hold: {', '.join(check.name for check in refusal.failed)}") from None
    if played is None:
        raise fail("stopped in the middle; the next demo begins anew")


@contextlib.contextmanager
def _stopped_afterwards(*, keep: bool) -> Iterator[bool]:
    """Stops the local servers at the end, unless they ran before, are to be kept or are the environment's; yields whether it will."""
    from services.runtime.local import instance_at
    from services.settings import settings

    told = settings()
    instance = instance_at(told.state_dir)
    # with --keep it is said where it is made: services/runtime/local.py
    if not keep and not (told.postgres_uri and told.kafka_bootstrap) and not (instance.root / "instance.json").exists():
        say_aside(f"a new house is made in {instance.root}")
    ours = not (keep or (told.postgres_uri and told.kafka_bootstrap) or any(server.pid for server in instance.status()))
    try:
        yield ours
    finally:
        if ours:
            gc.collect()  # clients of Kafka that are still around would complain that the broker has gone
            instance.down()


def _begin(clock: Clock, last: date, progress: Progress, *, owned: bool) -> tuple[House, Purchases]:
    """Starts what does not run, while the purchases are read. Raises LocalRuntimeError, NoPurchases."""
    from services.demo.source import FIRST_DAY, Purchases
    from services.house import House
    from services.runtime.local import ensure

    with ThreadPoolExecutor(1) as pool:
        progress("Purchases", 0, None)
        reading = pool.submit(Purchases.read, FIRST_DAY, last)
        with clock("start Kafka and PostgreSQL"):
            addresses = ensure(progress=progress, owned=owned)
        with clock("read the purchases (beside it)"):
            purchases = reading.result()
        progress("Purchases", 1, 1)
    return House(addresses.postgres_uri, addresses.kafka_bootstrap), purchases


def _play(
    house: House, purchases: Purchases, clock: Clock, progress: Progress, stop: Stop, *, bank: bool, keep: bool
) -> tuple[Played | None, BankPlayed | None]:
    """Plays; None where it was told to stop, and for the bank where none is played."""
    from services.cli.demo_tables import night_line
    from services.demo.run import Stopped, play
    from services.settings import settings

    brief = (purchases.last - purchases.first).days > 31
    folder = settings().state_dir / "demo"

    def on_night(report: SettlementReport) -> None:
        if not brief or report.window.day == 1:
            say_aside(night_line(report))

    try:
        if bank:
            from services.demo.bank.run import play_bank

            with_bank = play_bank(house, purchases, folder, clock=clock, stop=stop, progress=progress, on_night=on_night, keep=keep)
            return with_bank.played, with_bank
        return play(house, purchases, folder, clock=clock, stop=stop, progress=progress, on_night=on_night), None
    except Stopped:
        return None, None


def _show(house: House, played: Played, with_bank: BankPlayed | None, clock: Clock, output: Format, *, running: bool) -> None:
    from services.cli.demo_tables import show
    from services.demo.pointers import pointers
    from services.report.stored import shown

    last = played.reports[-1]
    with house.books(last.programme) as connection:
        last_night = shown(connection, last.window, nights=0)
        way_down = pointers(connection, last.window)
        told = None
        if with_bank is not None:
            from services.demo.bank.told import told as told_of

            told = told_of(connection, with_bank)
    if output is Format.TABLE:
        if with_bank is not None and told is not None:
            from services.cli.demo_bank_tables import show as show_bank

            show_bank(with_bank, told)
        show(played, last_night, way_down, clock, alone=house.programmes() == [last.programme], running=running, with_bank=with_bank)
        return
    document = {
        "programme": last.programme,
        "windows": [report.window for report in played.reports],
        "events": played.events,
        "lines": played.lines,
        "sha256": last_night.sha256,
        "report": last.model_dump(mode="json", by_alias=True),
        "seconds": {phase: round(seconds, 2) for phase, seconds in clock.phases.items()},
    }
    if with_bank is not None and told is not None:
        document["bank"] = asdict(told) | {"states": {str(day): state for day, state in with_bank.states.items()}, "recon": asdict(with_bank.recon)}
    print_json(document)
