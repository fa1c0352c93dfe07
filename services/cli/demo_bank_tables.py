"""What `clh demo --bank` prints at the end: what was paid, what went wrong and what became of it, what the co-brand bank got wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.cli.break_tables import show_sums
from services.cli.demo_tables import money
from services.cli.output import heading, print_table, say

if TYPE_CHECKING:
    from services.demo.bank.run import BankPlayed
    from services.demo.bank.told import Told, Week


def show(played: BankPlayed, told: Told) -> None:
    """All of it."""
    _weeks(told.weeks)
    _account(told)
    heading("What went wrong, and what became of it")
    for happened in told.happened:
        say(f"{happened.day}  {happened.sentence}")
        say(f"            clh {happened.command}")
    _recon(played)


def _weeks(weeks: list[Week]) -> None:
    heading("Windows that were paid")
    rows = [
        (str(week.window), week.state, str(week.runs), str(week.payments), money(week.paid_minor), money(week.received_minor), money(week.missing_minor))
        for week in weeks
    ]
    numbers = ("runs", "payments", "paid out", "paid in", "missing")
    print_table(("window", "state", *numbers), rows, title="settled: statements of the bank show every payment (USD)", right=numbers)


def _account(told: Told) -> None:
    """The bank's figures beside the house's."""
    heading("The account at the bank")
    figures = (
        ("opening balance", told.opening_minor), ("paid in by parties", told.received_minor), ("paid out to parties", -told.paid_minor),
        ("neither", told.other_minor), ("closing balance, by the payments", told.expected_minor), ("closing balance, by the bank", told.closing_minor),
    )  # fmt: skip
    print_table(("", "USD"), [(what, money(minor)) for what, minor in figures], right=("USD",))
    say("They agree." if told.expected_minor == told.closing_minor else "THEY DO NOT AGREE.")


def _recon(played: BankPlayed) -> None:
    report = played.recon
    heading(f"The co-brand bank's file of {report.day}")
    opened, broken = sum(report.broken.values()), ", ".join(f"{count} {code}" for code, count in report.broken.items())
    say(f"{report.matched:,} rows matched; {opened} {'break' if opened == 1 else 'breaks'}: {broken}.")
    say("Each of them with both rows: clh recon breaks, then clh recon show NUMBER")
    show_sums(report)
