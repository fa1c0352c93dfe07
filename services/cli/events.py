"""`clh events`: the tools of those who send events."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.books import OneProgramme
from services.cli.escaping import visible
from services.cli.house import broker
from services.cli.output import NUMBER_MAX, Format, Output, fail, print_json, print_json_line, progress_bars, say
from services.cli.refused import held, rejected
from services.cli.senders import Patience, SignOption, show_sent, signer_of
from services.cli.trace import trace
from services.cli.trigger import trigger

if TYPE_CHECKING:
    from services.events.checking import BadLine
    from services.events.signing import Signer

app = typer.Typer(help="Events: send, listen, trigger, rejected, held, trace.", no_args_is_help=True)


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
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for the answers.")] = False,
    patience: Patience = 30,
    output: Output = Format.TABLE,
) -> None:
    """Send a file of events, wait for the answers, and say what was accepted, held and rejected.

    Every line is checked first, and nothing is sent where one is bad: file, line, JSON pointer and reason are printed. The events of one card keep
    their order. Sending a file twice books nothing twice: what came before is answered as before. Returns whose purchase has not come wait for
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

    signer = signer_of(sign)
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
    show_sent(sent, bad, output, waited=not no_wait, name=events.name)


@app.command()
def listen(
    programme: OneProgramme = None,
    party: Annotated[str | None, typer.Option("--party", metavar="ID", help="Only what this party sent or pays for.", show_default=False)] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Only what was refused.")] = False,
    from_start: Annotated[bool, typer.Option("--from-start", help="From the oldest answer that Kafka keeps.")] = False,
    count: Annotated[int | None, typer.Option("--count", min=1, max=NUMBER_MAX, help="End after so many answers.", show_default=False)] = None,
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
                    print_json_line(answer.document)
                else:
                    typer.echo(visible(f"{answer.document['time']} {in_one_line(answer)}"))
                printed += 1
                if printed == count:
                    stop.set()
                    break
        reader.close()


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
            say(f"{name}:{each.line}: {each.pointer or 'the event'}: {each.reason} [{each.code}]{shown}")


def _finish_bad(name: str, bad: list[BadLine], output: Format) -> None:
    if output is Format.JSON:
        print_json({"file": name, "sent": 0, "bad": [asdict(each) for each in bad]})
    count = f"{len(bad):,} bad {'line' if len(bad) == 1 else 'lines'}"
    raise fail(f"{name}: {count}; nothing was sent. --keep-going sends the others, --no-validate sends all as they are")


app.command(name="trigger")(trigger)
app.command(name="rejected")(rejected)
app.command(name="held")(held)
app.command(name="trace")(trace)
