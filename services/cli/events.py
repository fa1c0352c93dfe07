"""`clh events`: the tools of those who send events."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme
from services.cli.house import broker
from services.cli.output import FAILED, NOT_RUNNING, Format, Output, err, fail, out, print_json, print_table, progress_bars

if TYPE_CHECKING:
    from services.events.answers import AnswerReader
    from services.events.checking import BadLine
    from services.events.sending import Sent
    from services.events.signing import Signer

app = typer.Typer(help="Events: send, listen, trigger, trace.", no_args_is_help=True)

SHOWN = 20
"""So many ids are named of each code; all of them with `--output json`."""

SignOption = Annotated[
    str | None, typer.Option("--sign", metavar="KEYID", help="Sign with this key of the file that CLH_SENDER_KEYS names.", show_default=False)
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the answers.")]
Patience = Annotated[float, typer.Option("--patience", min=0.1, metavar="SECONDS", help="Stop waiting when for so long no answer came.")]


@app.callback()
def group() -> None:
    """Senders need Kafka only: with CLH_KAFKA_BOOTSTRAP and --programme, no database is asked."""


@app.command()
def send(
    file: Annotated[
        Path, typer.Argument(metavar="FILE|-", help="Events, one a line, also packed by gzip; `-`: standard input.", allow_dash=True, show_default=False)
    ],
    programme: OneProgramme = None,
    sign: SignOption = None,
    no_validate: Annotated[bool, typer.Option("--no-validate", help="Send every line as it is; the house judges it.")] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Send the good lines although others are bad.")] = False,
    no_wait: NoWait = False,
    patience: Patience = 15,
    output: Output = Format.TABLE,
) -> None:
    """Send a file of events, wait for the answers, and say what was accepted, held and rejected.

    Every line is checked first, and nothing is sent where one is bad: file, line, JSON pointer and reason are printed. The events of one card keep
    their order. Sending a file twice books nothing twice: what came before gets the same answer again. Returns whose purchase has not come wait for
    the end of the business day, and stay unanswered until then.

    Exit code 0: nothing was refused; 1: a line is bad, or an event was refused; 3: Kafka is not there, or nobody answers.

    Examples:

        clh events send march.jsonl.gz --programme harvest

        tail -1 till.jsonl | clh events send - --programme harvest --sign grocer-1

        clh events send march.jsonl --output json > answers.json
    """
    from services.events.answers import AnswerReader, NoTopics
    from services.events.files import UnreadableFile, opened
    from services.events.sending import Sender, await_answers

    signer = _signer(sign)
    try:
        with opened(file) as events, broker(programme) as (bootstrap, chosen), progress_bars() as report:
            bad: list[BadLine] = []
            total = None
            if not no_validate:
                total, bad = _check(events, signer, report)
                _show_bad(events.name, bad, output)
                if bad and not keep_going:
                    _finish_bad(events.name, bad, output)
            reader = AnswerReader(bootstrap, chosen)
            skipped = {each.line for each in bad}
            lines = (line for line in events.lines() if line.no not in skipped)
            sent = Sender(bootstrap, chosen, signer).send(lines, report, total=total)
            if not no_wait:
                for _ in await_answers(sent, reader, patience, report):
                    pass
            reader.close()
    except (UnreadableFile, NoTopics) as error:
        raise fail(str(error)) from None
    _show_sent(sent, bad, output, waited=not no_wait)


@app.command()
def listen(
    programme: OneProgramme = None,
    party: Annotated[str | None, typer.Option("--party", metavar="ID", help="Only what this party sent or pays for.", show_default=False)] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Only what was refused.")] = False,
    from_start: Annotated[bool, typer.Option("--from-start", help="From the oldest answer that Kafka keeps.")] = False,
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many answers.", show_default=False)] = None,
    output: Output = Format.TABLE,
) -> None:
    """Print the house's answers as they come, until SIGINT. With `--output json`, one CloudEvent a line.

    Examples:

        clh events listen --programme harvest --party grocer

        clh events listen --rejected --output json | jq .data.code
    """
    from services.events.answers import AnswerReader, NoTopics
    from services.events.wording import in_one_line
    from services.stop import Stop

    stop = Stop().on_signals()
    printed = 0
    with broker(programme) as (bootstrap, chosen):
        try:
            reader = AnswerReader(bootstrap, chosen, from_start=from_start)
        except NoTopics as error:
            raise fail(str(error)) from None
        while not stop():
            for answer in reader.read(0.2):
                if (party is not None and not answer.concerns(party)) or (rejected and answer.outcome != "rejected"):
                    continue
                if output is Format.JSON:
                    typer.echo(json.dumps(answer.document, ensure_ascii=False, separators=(",", ":")))
                else:
                    typer.echo(f"{answer.document['time']} {in_one_line(answer)}")
                printed += 1
                if printed == count:
                    stop.set()
                    break
        reader.close()


@app.command()
def trigger(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="A type of event, such as `purchase`; `list` names them all.", show_default=False)],
    programme: OneProgramme = None,
    party: Annotated[str | None, typer.Option("--party", metavar="ID", help="Who sends it.")] = None,
    card: Annotated[str | None, typer.Option("--card", help="The card, or card token, that is shown.")] = None,
    member: Annotated[str | None, typer.Option("--member", help="The member that it is about.")] = None,
    total: Annotated[str | None, typer.Option("--total", metavar="AMOUNT", help="What was paid, such as 12.50.")] = None,
    points: Annotated[int | None, typer.Option("--points", min=1, help="Points of a redemption.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="ISO 4217 code.")] = None,
    category: Annotated[str | None, typer.Option("--category", help="Category of the lines.")] = None,
    original: Annotated[str | None, typer.Option("--original", metavar="EVENT", help="Id of the event that it names.")] = None,
    event_id: Annotated[str | None, typer.Option("--id", help="Its id; one of its own unless told.")] = None,
    time: Annotated[str | None, typer.Option("--time", help="When it happened, RFC 3339; now unless told.")] = None,
    fields: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Any other field: data.store=12. May be given several times.")] = None,
    sign: SignOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it and send nothing.")] = False,
    no_validate: Annotated[bool, typer.Option("--no-validate", help="Send it as it is, bad or not.")] = False,
    patience: Patience = 15,
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
    signer = _signer(sign)
    problem = None if no_validate else check(line, speaks_for=signer.party if signer is not None else None)
    if dry_run or problem is not None or output is Format.TABLE:
        print_json(event)
    if problem is not None:
        raise fail(f"{problem.pointer or 'the event'}: {problem.reason} [{problem.code}]")
    if dry_run:
        return
    try:
        with broker(programme) as (bootstrap, chosen):
            _send_one(bootstrap, chosen, line, signer, patience, output)
    except NoTopics as error:
        raise fail(str(error)) from None


def _send_one(bootstrap: str, programme: str, line: Any, signer: Signer | None, patience: float, output: Format) -> None:
    from services.events.answers import AnswerReader
    from services.events.sending import Sender, await_answers
    from services.events.wording import in_one_line

    reader: AnswerReader = AnswerReader(bootstrap, programme)
    sent = Sender(bootstrap, programme, signer).send([line])
    place = sent.fates[0].place
    assert place is not None, "the broker said where it lies"
    if output is Format.TABLE:
        out.print("sent to {}, partition {}, offset {}".format(*place), highlight=False)
    answers = list(await_answers(sent, reader, patience))
    reader.close()
    if not answers:
        raise fail(f"no answer within {patience:g} seconds; clh run accrual books it, clh run relay answers it", code=NOT_RUNNING)
    for answer in answers:
        if output is Format.JSON:
            print_json(answer.document)
        else:
            out.print(in_one_line(answer), markup=False, highlight=False, soft_wrap=True)
    if sent.count("rejected"):
        raise typer.Exit(FAILED)


def _list_types(output: Format) -> None:
    from schemas.events import EVENT_TYPES
    from schemas.topics import TOPIC_OF_TYPE

    rows = [(name, TOPIC_OF_TYPE[name]) for name in EVENT_TYPES]
    if output is Format.JSON:
        print_json([{"type": name, "topic": topic} for name, topic in rows])
    else:
        print_table(("type", "topic"), rows)


def _check(events: Any, signer: Signer | None, report: Any) -> tuple[int, list[BadLine]]:
    """How many lines there are, and what is wrong with which."""
    from services.events.checking import check

    bad = []
    total = 0
    for total, line in enumerate(events.lines(), 1):
        problem = check(line, speaks_for=signer.party if signer is not None else None)
        if problem is not None:
            bad.append(problem)
        if total % 1000 == 0:
            report("Checking", total, None)
    report("Checking", total, total)
    return total, bad


def _show_bad(name: str, bad: list[BadLine], output: Format) -> None:
    if output is Format.TABLE:
        for each in bad:
            shown = f" (id {each.id})" if each.id is not None else ""
            out.print(f"{name}:{each.line}: {each.pointer or 'the event'}: {each.reason} [{each.code}]{shown}", markup=False, highlight=False, soft_wrap=True)


def _finish_bad(name: str, bad: list[BadLine], output: Format) -> None:
    if output is Format.JSON:
        print_json({"file": name, "sent": 0, "bad": [asdict(each) for each in bad]})
    count = f"{len(bad):,} bad {'line' if len(bad) == 1 else 'lines'}"
    raise fail(f"{name}: {count}; nothing was sent. --keep-going sends the others, --no-validate sends all as they are")


def _show_sent(sent: Sent, bad: list[BadLine], output: Format, *, waited: bool) -> None:
    rejected = sent.rejected
    unanswered = [fate for fate in sent.fates if fate.answer is None]
    if output is Format.JSON:
        print_json(
            {
                "sent": len(sent.fates),
                "bad": [asdict(each) for each in bad],
                "accepted": sent.count("accepted"),
                "held": [fate.id for fate in sent.fates if fate.outcome == "held"],
                "rejected": {
                    code: [
                        {"line": fate.line, "id": fate.id, "pointer": fate.answer.data["pointer"], "detail": fate.answer.data["detail"]}
                        for fate in fates
                        if fate.answer is not None
                    ]
                    for code, fates in rejected.items()
                },
                "unanswered": [fate.id for fate in unanswered] if waited else None,
            }
        )
    else:
        _tables(sent, waited=waited)
    if rejected or bad:
        raise typer.Exit(FAILED)
    if waited and sent.fates and not sent.answered:
        raise fail("nobody answers; clh run accrual books events, clh run relay answers them", code=NOT_RUNNING)


def _tables(sent: Sent, *, waited: bool) -> None:
    rows = [(outcome, f"{sent.count(outcome):,}", "") for outcome in ("accepted", "held") if sent.count(outcome)]
    rows += [(f"rejected: {code}", f"{len(fates):,}", _named(fates)) for code, fates in sent.rejected.items()]
    silent = [fate for fate in sent.fates if fate.answer is None]
    if silent:
        rows.append(("unanswered" if waited else "sent", f"{len(silent):,}", _named(silent) if waited and sent.answered else ""))
    print_table(("outcome", "events", "ids"), rows, title=f"{len(sent.fates):,} sent", right=("events",))
    for code, fates in sent.rejected.items():
        answer = fates[0].answer
        if answer is not None:
            err.print(f"{code}: {answer.data['pointer'] or 'the event'}: {answer.data['detail']}", markup=False, highlight=False, soft_wrap=True)


def _named(fates: list[Any]) -> str:
    """Ids, or lines where there is none, of the first of them."""
    names = [fate.id or f"line {fate.line}" for fate in fates]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


def _signer(key_id: str | None) -> Signer | None:
    from services.events.signing import NoKey, Signer
    from services.settings import settings

    if key_id is None:
        return None
    try:
        return Signer.read(settings().sender_keys, key_id)
    except NoKey as error:
        raise fail(str(error)) from None


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
