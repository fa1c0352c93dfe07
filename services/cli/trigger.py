"""`clh events trigger`: one event, made from the example of its type, sent and answered."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme
from services.cli.house import broker
from services.cli.output import FAILED, NOT_RUNNING, NUMBER_MAX, Format, Output, fail, print_json, print_table, say, say_aside
from services.cli.senders import Patience, SignOption, page_of, signer_of

if TYPE_CHECKING:
    from services.events.answers import AnswerReader
    from services.events.signing import Signer


WAITING_S = 3.0
"""So long the answer to an event that names another is waited for before it is asked whether it waits for that one."""


def trigger(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="A type of event, such as `purchase`; `list` names them all.", show_default=False)],
    programme: OneProgramme = None,
    party: Annotated[str | None, typer.Option("--party", metavar="ID", help="Who sends it.")] = None,
    card: Annotated[str | None, typer.Option("--card", help="The card, or card token, that is shown.")] = None,
    member: Annotated[str | None, typer.Option("--member", help="The member that it is about.")] = None,
    total: Annotated[str | None, typer.Option("--total", metavar="AMOUNT", help="What was paid, such as 12.50.")] = None,
    points: Annotated[int | None, typer.Option("--points", min=1, max=NUMBER_MAX, help="Points of a redemption.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="ISO 4217 code.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Category of the lines.")] = None,
    original: Annotated[str | None, typer.Option("--original", metavar="EVENT", help="Id of the event that it names.")] = None,
    event_id: Annotated[str | None, typer.Option("--id", help="Its id; one of its own unless told.")] = None,
    time: Annotated[str | None, typer.Option("--time", help="When it happened, RFC 3339; now unless told.")] = None,
    fields: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Any other field: data.store=12. May be given several times.")] = None,
    sign: SignOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it and send nothing.")] = False,
    no_validate: Annotated[bool, typer.Option("--no-validate", help="Send it as it is, bad or not.")] = False,
    patience: Patience = 30,
    output: Output = Format.TABLE,
) -> None:
    """Send one event, made from the example of its type, and show the answer.

    Exit codes as of `clh events send`.

    Examples:

        clh events trigger list

        clh events trigger member-enrolled --party opco --member m-900 --card hc-900

        clh events trigger purchase --party grocer --card hc-900 --total 12.50 --category grocery/dairy

        clh events trigger return --party grocer --card hc-900 --original t-4be1c0d2f3 --total 2.50

        clh events trigger redemption --party cafe --card hc-900 --points 50 --dry-run
    """
    from services.events.answers import NoTopics
    from services.events.checking import check
    from services.events.files import Line
    from services.events.triggers import CannotTrigger, Wishes
    from services.events.triggers import trigger as make

    if kind == "list":
        _list_types(output)
        return
    wishes = Wishes(party, card, member, _amount(total), points, currency, category, original, event_id, _moment(time), fields or ())
    try:
        event = make(kind, wishes, datetime.now().astimezone())
    except CannotTrigger as error:
        raise fail(str(error)) from None
    line = Line(1, json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())
    signer = signer_of(sign)
    problem = None if no_validate else check(line, speaks_for=signer.party if signer is not None else None)
    if dry_run or problem is not None or output is Format.TABLE:
        _show(event, good=problem is None and not no_validate)
    if problem is not None:
        raise fail(f"{problem.pointer or 'the event'}: {problem.reason} [{problem.code}]")
    if dry_run:
        return
    try:
        with broker(programme) as (bootstrap, chosen):
            _send_one(bootstrap, chosen, line, signer, patience, output, may_wait="original_id" in event["data"])
    except NoTopics as error:
        raise fail(str(error)) from None


def _show(event: dict[str, Any], *, good: bool) -> None:
    """The event as it is to be sent; one that is not known to be good only where nothing in it passes for a payment card number."""
    from schemas.card_numbers import holds_card_number

    def holds(value: Any) -> bool:
        if isinstance(value, dict):
            return any(holds(each) for pair in value.items() for each in pair)
        if isinstance(value, list):
            return any(map(holds, value))
        return holds_card_number(str(value))

    if not good and holds(event):
        say_aside("the event is not shown: something in it passes for a payment card number")
        return
    print_json(event)


def _send_one(bootstrap: str, programme: str, line: Any, signer: Signer | None, patience: float, output: Format, *, may_wait: bool) -> None:
    from services.events.answers import AnswerReader
    from services.events.sending import Sender, await_answers
    from services.events.standing import is_booked
    from services.events.wording import in_one_line

    reader: AnswerReader = AnswerReader(bootstrap, programme)
    sent = Sender(bootstrap, programme, signer).send([line])
    place = sent.fates[0].place
    assert place is not None, "the broker said where it lies"
    if output is Format.TABLE:
        say("sent to {}, partition {}, offset {}".format(*place))
    answers = list(await_answers(sent, reader, min(patience, WAITING_S) if may_wait else patience))
    waits = not answers and may_wait and is_booked(bootstrap, programme, place)
    if not answers and may_wait and not waits:
        answers = list(await_answers(sent, reader, patience))
        waits = not answers and is_booked(bootstrap, programme, place)
    reader.close()
    if waits:
        _say_it_waits(place, output)
        return
    if not answers:
        raise fail(f"no answer within {patience:g} seconds; clh run accrual books it, clh run relay answers it", code=NOT_RUNNING)
    for answer in answers:
        if output is Format.JSON:
            print_json(answer.document)
        else:
            before = ", answered as before" if sent.fates[0].as_before else ""
            say(in_one_line(answer) + before)
            if answer.outcome == "rejected":
                say(page_of(answer.data["code"]))
    if sent.count("rejected"):
        raise typer.Exit(FAILED)


def _say_it_waits(place: tuple[str, int, int], output: Format) -> None:
    """What names an event that has not come is answered when the window ends, if not before."""
    reason = "waits until the window ends: its purchase has not come"
    if output is Format.JSON:
        print_json({"outcome": "waiting", "reason": reason, "record": dict(zip(("topic", "partition", "offset"), place, strict=True))})
    else:
        say(reason)


def _list_types(output: Format) -> None:
    from schemas.events import EVENT_TYPES
    from schemas.topics import TOPIC_OF_TYPE

    rows = [(name, TOPIC_OF_TYPE[name]) for name in EVENT_TYPES]
    if output is Format.JSON:
        print_json([{"type": name, "topic": topic} for name, topic in rows])
    else:
        print_table(("type", "topic"), rows)


def _amount(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text is not None else None
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is no amount such as 12.50", param_hint="--total") from None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-03-02T17:45:10+01:00", param_hint="--time") from None
    return moment if moment.tzinfo is not None else moment.astimezone()
