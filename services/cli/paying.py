"""`clh settlement pay | recall`, and where each payment of a window stands."""

from __future__ import annotations

import getpass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.output import NUMBER_MAX, Format, Output, print_json, print_table, say
from services.cli.people import Doer, refusals

if TYPE_CHECKING:
    from services.settlement.instructing import Paid
    from services.settlement.noted_files import NotedFile
    from services.settlement.transport import Transport

Folder = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="Where the bank's connection fetches files; written whole or not at all.", show_default=False)
]
Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="The bank's own interface, to which files are posted; https.", show_default=False)]


class RecallReason(StrEnum):
    """Why a payment is recalled: codes of the standard's list."""

    DUPL = "DUPL"
    TECH = "TECH"
    FRAD = "FRAD"
    CUST = "CUST"
    AC03 = "AC03"
    AM09 = "AM09"


def pay(
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="The business day of the window.")],
    programme: OneProgramme = None,
    folder: Folder = None,
    url: Url = None,
    person: Doer = None,
    corrected: Annotated[bool, typer.Option("--corrected", help="Put what the bank rejected, cancelled or gave back into a further file.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Pay an approved window: note the payment file in the books, hand it to the bank, note that. The window is instructed.

    Whenever it dies in between, the same command goes on: it hands over what is noted, under the same id, so that nothing is paid twice or lost.
    A window in which the operator pays nobody has no file. What parties owe is paid by them, under the reference on their statement.

    Examples:

        clh settlement pay 2026-03-02 --folder outgoing/

        clh settlement pay 2026-03-02 --url https://bank.example/payments --as mia

        clh settlement pay 2026-03-02 --folder outgoing/ --corrected        # once accounts are put right: clh programme apply
    """
    from services.settlement.instructing import Paying
    from services.settlement.instructing import pay as pay_window

    day = as_day(window)
    with books_of(programme) as (_, chosen, connection), refusals():
        how = Paying(chosen, person or getpass.getuser(), datetime.now(UTC), _transport(folder, url))
        paid = pay_window(connection, day, how, corrected=corrected)
    if output is Format.JSON:
        files = [
            {
                "message_id": file.message_id,
                "file_no": file.file_no,
                "payments": file.payments,
                "sha256": file.sha256,
                "handed_over_at": file.handed_over_at,
                "put_aside": file.put_aside,
            }
            for file in paid.files
        ]
        print_json({"programme": chosen, "window": day, "run": paid.run, "state": paid.state, "handed_over": list(paid.handed_over), "files": files})
        return
    rows = [(file.file_no, file.message_id, file.payments, _handed_over(file, paid), file.sha256) for file in paid.files]
    print_table(
        ("file", "message id", "payments", "handed over", "SHA-256"),
        rows,
        title=f"Window {day} is {paid.state}",
        right=("file", "payments"),
        optional=("SHA-256",),
        empty=f"Window {day} is {paid.state}: the operator pays nobody in it, so there is no file.",
    )


def _handed_over(file: NotedFile, paid: Paid) -> str:
    if file.put_aside:
        return "put aside"
    return "now" if file.message_id in paid.handed_over else _moment(file.handed_over_at)


def recall(
    payment: Annotated[str, typer.Argument(metavar="PAYMENT", help="Id of a payment that went to the bank, as clh settlement status names it.")],
    reason: Annotated[RecallReason, typer.Option("--reason", help="DUPL twice, TECH by mistake, FRAD fraud, CUST asked for, AC03 wrong account, AM09 amount.")],
    attempt: Annotated[
        int | None, typer.Option("--attempt", metavar="NUMBER", min=1, max=NUMBER_MAX, help="Which attempt at it; left out: the newest.", show_default=False)
    ] = None,
    programme: OneProgramme = None,
    folder: Folder = None,
    url: Url = None,
    person: Doer = None,
    output: Output = Format.TABLE,
) -> None:
    """Ask the bank to cancel a payment, or to bring it back (camt.055). Its answer comes as a message, and money that comes back by a statement.

    Example:

        clh settlement recall 20260302-EUR-22XSV7S74OAQG7R2CLTC --reason TECH --folder outgoing/
    """
    from services.settlement.instructing import Paying
    from services.settlement.recalling import recall as recall_payment

    with books_of(programme) as (_, chosen, connection), refusals():
        how = Paying(chosen, person or getpass.getuser(), datetime.now(UTC), _transport(folder, url))
        asked = recall_payment(connection, payment, reason.value, how, attempt=attempt)
    if output is Format.JSON:
        print_json(
            {
                "programme": chosen,
                "payment": asked.payment,
                "end_to_end_id": asked.end_to_end_id,
                "message_id": asked.message_id,
                "window_settled": asked.settled,
            }
        )
        return
    say(f"{asked.message_id} asks the bank for payment {asked.payment}. Until it answers, nothing has changed.")
    if asked.settled:
        say("Its window is settled, and stays so: what comes back is an adjustment in the current window.")


def payments_as_json(connection: Any, run: int, now: datetime, *, replaced: bool = False) -> list[dict[str, Any]]:
    """Where each payment of a run stands, as plain values; of a run that was `replaced` after a default nothing is waited for any more.

    `counted_minor`: what of it counts as paid for the window.
    """
    from services.journal.programmes import load
    from services.settlement.baselines import baselines, counted_for_window
    from services.settlement.deadlines import deadline_of, is_late
    from services.settlement.payment_states import states_of
    from services.settlement.readdressing import changed_accounts, signed_accounts
    from services.settlement.twice import all_twice

    programme, kept = load(connection).programme, baselines(connection, run)
    again = {found.payment.id: found.words for found in all_twice(connection, run)}
    changed, signed = changed_accounts(connection, run), signed_accounts(connection, run)
    return [
        {
            "run": run, "replaced": replaced,
            "id": one.id, "kind": one.kind, "from": one.payer, "to": one.payee, "currency": one.currency, "amount_minor": one.amount_minor, "state": one.state,
            "confirmed_minor": one.confirmed_minor, "counted_minor": counted_for_window(one, kept),
            "announced_minor": one.announced_minor, "missing_minor": one.missing_minor,
            "excess_minor": one.excess_minor, "value_date": one.value_date, "deadline": deadline_of(one.value_date, programme),
            "late": not replaced and is_late(one, programme, now), "reference": one.reference, "statements": list(one.statements), "reason": one.reason,
            "twice": again.get(one.id), "approved_account": changed.get(one.id, (None, None))[0], "programme_account": changed.get(one.id, (None, None))[1],
            "attempts": [
                {"end_to_end_id": each.end_to_end_id, "message_id": each.message_id, "state": each.state, "value_date": each.value_date,
                 "sent_at": each.sent_at, "recalled_at": each.recalled_at, "came_back_on": each.came_back_on, "reason": each.reason,
                 "contradicted": each.contradicted, "next_account": signed.get(each.end_to_end_id)}
                for each in one.attempts
            ],
        }
        for one in states_of(connection, run)
    ]  # fmt: skip


def show_payments(payments: list[dict[str, Any]], day: date) -> None:
    """The same for people: what confirms each, and what it waits for."""
    from schemas.money import to_text

    def figure(one: dict[str, Any], name: str) -> str:
        return to_text(one[name], one["currency"])

    rows = [
        (one["run"], one["from"], one["to"], figure(one, "amount_minor"), one["currency"], *_stands(one), one["deadline"],
         one["id"], ", ".join(one["statements"]), figure(one, "confirmed_minor"))
        for one in payments
    ]  # fmt: skip
    columns = ("run", "from", "to", "amount", "currency", "state", "missing", "deadline", "payment", "by statements", "confirmed")
    left_out = print_table(columns, rows, title=f"Payments of window {day}", right=("run", "amount", "confirmed", "missing"), optional=columns[7:])
    if "payment" in left_out:
        ids = [(one["id"], one["from"], one["to"], figure(one, "amount_minor"), one["currency"]) for one in payments]
        print_table(("payment", "from", "to", "amount", "currency"), ids, title="What other commands call them", right=("amount",))
    waiting = [(one, waits) for one in payments if (waits := _waits_for(one))]
    if waiting:
        say("What they wait for:")
    for one, waits in waiting:
        say(f"  {one['id']}, {one['from']} to {one['to']}: {waits}")
    for one in payments:
        if story := _attempts(one):
            say(f"{figure(one, 'amount_minor')} {one['currency']} to {one['to']}: {story}")


def _stands(one: dict[str, Any]) -> tuple[str, str]:
    """Its state, and what is missing of it: of what a default has replaced before it was sent, nothing."""
    from schemas.money import to_text

    if one["replaced"] and one["state"] == "planned":
        return "replaced by the default", ""
    return one["state"], to_text(one["missing_minor"], one["currency"])


def _attempts(one: dict[str, Any]) -> str:
    """What became of each attempt of a payment that went to the bank again; empty where it did not."""
    if not any(each["state"] in CAME_BACK for each in one["attempts"]):
        return ""
    return "; ".join(
        f"attempt {no} "
        + (CAME_BACK[each["state"]] + _on(each) + (f" ({each['reason']})" if each["reason"] else "") if each["state"] in CAME_BACK else str(each["state"]))
        + f", in file {each['message_id']} for {each['value_date']}"
        + (f"; it goes out anew to {each['next_account']}, as two people have signed" if each["next_account"] else "")
        for no, each in enumerate(one["attempts"], start=1)
    )


def _on(attempt: dict[str, Any]) -> str:
    return f" on {attempt['came_back_on']}" if attempt["state"] == "returned" and attempt["came_back_on"] is not None else ""


CAME_BACK: Final = {"rejected": "was rejected", "returned": "came back", "recalled": "was recalled"}
"""Of which states of an attempt the payment needs another one."""
_NEXT = {
    "planned": "clh settlement pay", "noted": "clh settlement pay: it was not handed over", "sent": "the bank's answer", "accepted": "a statement",
    "recall asked": "the bank's answer", "recall refused": "a statement", "rejected": "clh settlement pay --corrected",
    "recalled": "clh settlement pay --corrected", "booked": "a statement", "returned": "clh settlement pay --corrected",
    "contradicted": "two people: clh settlement decide",
}  # fmt: skip


def _waits_for(one: dict[str, Any]) -> str:
    from schemas.money import to_text

    if one["replaced"]:
        return ""
    if one["twice"] is not None:
        return str(one["twice"])
    late = "LATE: " if one["late"] else ""
    if one["kind"] == "direct":
        return "nothing: the parties pay each other"
    if one["missing_minor"] == 0:
        return f"{to_text(one['excess_minor'], one['currency'])} {one['currency']} too many" if one["excess_minor"] else ""
    if one["kind"] == "incoming":
        return f"{late}a statement" if one["announced_minor"] >= one["amount_minor"] else f"{late}{one['from']} to pay under {one['reference']}"
    because = f" ({one['reason']})" if one["reason"] else ""
    if one["programme_account"]:
        moved = f"it was approved to {one['approved_account']}, and the programme names {one['programme_account']}"
        return f"{late}two people, as {moved}: clh settlement account {one['id']}{because}"
    return late + _NEXT.get(str(one["state"]), "a statement") + because


def _transport(folder: Path | None, url: str | None) -> Transport | None:
    from services.settlement.transport import BankUrl
    from services.settlement.transport import Folder as FolderOfTheBank

    if folder is not None and url is not None:
        raise typer.BadParameter("a folder or an address, not both", param_hint="--url")
    if folder is not None:
        return FolderOfTheBank(folder)
    return BankUrl(url) if url is not None else None


def _moment(at: datetime | None) -> str:
    return "not yet" if at is None else at.isoformat(timespec="seconds")
