"""What `clh demo` prints: a line for each night while it runs, last night's settlement at the end, where to look next, how long it took."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.ids import ProgrammeId
from schemas.money import to_text
from schemas.report import SettlementReport
from services.cli.output import heading, out, print_table, say

if TYPE_CHECKING:
    from services.demo.bank.run import BankPlayed
    from services.demo.pointers import Pointers
    from services.demo.run import Clock, Played
    from services.report.stored import Shown

USD = "USD"
SHOWN = ("positions", "matrix", "obligations", "payments", "carried", "checks", "rejected")
"""Parts of the report that the demo shows; `clh report show` has them all."""


def night_line(report: SettlementReport) -> str:
    """One night in one line."""
    accepted, held, rejected = (sum(getattr(sender, name) for sender in report.senders) for name in ("accepted", "held", "rejected"))
    owed = sum(line.amount_minor for line in report.obligations)
    paid = sum(payment.amount_minor for payment in report.payments)
    points = report.points
    return (
        f"{report.window}  {accepted:>5,} accepted {held:>3} held {rejected:>2} rejected   points {points.issued:>+7,} {-points.redeemed:>+7,}"
        f"   {money(owed):>10} owed {money(paid):>10} paid   {'checks hold' if all(check.ok for check in report.checks) else 'CHECKS FAIL'}"
    )


def money(minor: int) -> str:
    """Dollars and cents with thousands: 1,489.92."""
    whole, _, cents = to_text(abs(minor), USD).partition(".")
    return f"{'-' if minor < 0 else ''}{int(whole):,}.{cents}"


def show(
    played: Played, last_night: Shown, way_down: Pointers | None, clock: Clock, *, alone: bool, running: bool, with_bank: BankPlayed | None = None
) -> None:
    """Everything that is printed at the end."""
    from services.report.sections import report_tables
    from services.report.terminal import print_report

    heading("Last night's settlement")
    print_report(out, last_night, [table for table in report_tables(last_night) if table.name in SHOWN])
    say(f"Report with SHA-256 {last_night.sha256}")
    _live(played)
    programme = played.file.programme
    commands = next_commands(programme.id, programme.timezone, way_down, alone=alone)
    if with_bank is None:
        _look_next([*commands, (f"programme show {programme.id}", "the coalition's contracts and mechanics (examples/demo.yaml)")], running=running)
    else:
        of_money = money_commands(programme.id, with_bank, alone=alone)
        _look_next([*commands, *of_money, (f"programme show {programme.id}", "contracts and mechanics (examples/demo-bank.yaml)")], running=running)
        _kept(with_bank)
    _times(played, clock)


def _live(played: Played) -> None:
    """What the stream beside the books has counted of the last day."""
    numbers = ("purchases", "turnover", "returns", "points", "redemptions", "points redeemed", "held")
    rows = [
        (
            day.party, f"{day.purchases:,}", money(day.turnover_minor), f"{day.returns:,}", f"{day.points:,}", f"{day.redemptions:,}",
            f"{day.points_redeemed:,}", f"{day.held:,}", ", ".join(f"{code} {count}" for code, count in day.rejected.items()),
        )
        for day in played.live
    ]  # fmt: skip
    heading("Live figures")
    if not rows:
        say("The stream was not counted to its end in time; `clh run insights` goes on with it, `clh partner live` shows it.")
        return
    print_table(("partner", *numbers, "rejected"), rows, title=f"{played.reports[-1].window}, counted from the stream as it came (USD)", right=numbers)


def next_commands(programme: ProgrammeId, timezone: str, way_down: Pointers | None, *, alone: bool) -> list[tuple[str, str]]:
    """Commands that go on from here, and what each shows; `alone`: no other programme is in force, so that this one need not be named."""
    chosen = "" if alone else f" --programme {programme}"
    commands = [(f"report show{chosen}", "the whole report; `report render` makes a page of it, or CSV")]
    if way_down is not None:
        commands += [
            (f"explain position {way_down.party} {way_down.day}{chosen}", "a net position, line by line"),
            (f"explain obligation {way_down.day} {way_down.line}{chosen}", "one of its lines, down to the purchases behind it"),
            (f"explain event {way_down.event}{chosen}", "one of these purchases: its record in Kafka, its rows in the journal"),
            (f"explain member {way_down.member}{chosen}", "who bought it: points, lots, history"),
        ]
        if way_down.refused is not None:
            commands.append((f"events trace {way_down.refused}{chosen}", "an event that was refused: where it went, and why"))
    return [
        *commands,
        (f"report statement grocer{chosen}", "what the grocer gets from the house"),
        (f"partner live grocer --timezone {timezone}{chosen}", "its live figures, hour by hour"),
        (f"ledger verify{chosen}", "balances and lots recomputed from the journal"),
    ]


def money_commands(programme: ProgrammeId, played: BankPlayed, *, alone: bool) -> list[tuple[str, str]]:
    """Commands about what became of the money, and what each shows."""
    chosen, recon = "" if alone else f" --programme {programme}", played.recon
    defaulted = [(f"settlement status {played.defaulted}{chosen}", "both runs of the window in default")] if played.defaulted else []
    return [
        (f"settlement status{chosen}", "who signed which window, and where each stands"),
        *defaulted,
        (f"settlement check {recon.day}{chosen}", "a window's checks with their figures"),
        (f"bank match{chosen}", "statements against payments: nothing is left to look at"),
        (f"recon report {recon.bank} {recon.day}{chosen}", "the card bank's sums against the house's"),
        (f"recon show 1{chosen}", "one of the breaks, both rows side by side"),
        (f"risk report{chosen}", "who owes how much, and who bears what if they fail"),
        (f"accounts liability --at {played.played.reports[-1].window}{chosen}", "what points outstanding may cost"),
        (f"accounts revenue --month {recon.day:%Y-%m}{chosen}", "what the operator has earned with them"),
    ]


def _kept(played: BankPlayed) -> None:
    """Where the keys and messages are that go on by hand."""
    if played.kept is not None:
        say(f"Keys of the people who sign: {played.kept.people}, their passphrase beside them")
        say(f"The bank's messages, as they came: {played.kept.messages}")


def _look_next(commands: Sequence[tuple[str, str]], *, running: bool) -> None:
    clh = _command()
    heading("Where to look next")
    width = max(len(command) for command, _ in commands)
    for command, why in commands:
        say(f"  {clh} {command:<{width}}  {why}")
    after = "still run; stop them with" if running else "are started again by these commands, which takes some seconds; stop them with"
    say(f"Kafka and PostgreSQL {after}: {clh} dev down")


def _command() -> str:
    """`clh` as it was typed: by its path where it lies below this folder."""
    typed = Path(sys.argv[0]).absolute()
    return str(typed.relative_to(Path.cwd())) if typed.name == "clh" and typed.is_relative_to(Path.cwd()) else "clh"


def _times(played: Played, clock: Clock) -> None:
    from services.demo.run import BOOKING

    heading("How long it took")
    phases = [*clock.phases.items(), ("all of it", sum(clock.phases.values()))]
    print_table(("phase", "seconds"), [(phase, f"{seconds:.1f}") for phase, seconds in phases], right=("seconds",))
    nights, seconds = len(played.reports), clock.phases[BOOKING]
    out.print(
        f"{played.lines:,} lines of real baskets became {played.events:,} events; {nights} nights. "
        f"Published and booked at {played.events / seconds:,.0f} events/s, each day waited for to its end.",
        highlight=False,
    )
