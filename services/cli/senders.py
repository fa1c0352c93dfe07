"""What the commands of senders share: the key that signs, how long answers are waited for, and the report of what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import FAILED, NOT_RUNNING, Format, fail, print_json, print_table, say_aside

if TYPE_CHECKING:
    from services.events.answers import Answered
    from services.events.checking import BadLine
    from services.events.sending import Fate, Sent
    from services.events.signing import Signer

SHOWN = 20
"""So many ids are named of each code; all of them with `--output json`."""

SignOption = Annotated[
    str | None, typer.Option("--sign", metavar="KEYID", help="Sign with this key of the file that CLH_SENDER_KEYS names.", show_default=False)
]
Patience = Annotated[float, typer.Option("--patience", min=0.1, metavar="SECONDS", help="Stop waiting when for so long no answer came.")]


def signer_of(key_id: str | None) -> Signer | None:
    """The key that signs, where one is named; one that is not there ends the command."""
    from services.events.signing import NoKey, Signer
    from services.settings import settings

    if key_id is None:
        return None
    try:
        return Signer.read(settings().sender_keys, key_id)
    except NoKey as error:
        raise fail(str(error)) from None


def show_sent(sent: Sent, bad: list[BadLine], output: Format, *, waited: bool, name: str = "line") -> None:
    """What became of a file, called by its name; ends the command with its exit code."""
    rejected = sent.rejected
    unanswered = [fate for fate in sent.fates if fate.answer is None]
    if output is Format.JSON:
        print_json(
            {
                "sent": len(sent.fates),
                "bad": [asdict(each) for each in bad],
                "accepted": sent.count("accepted"),
                "answered_as_before": sum(1 for fate in sent.fates if fate.as_before),
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
        _tables(sent, waited=waited, name=name)
    if rejected or bad:
        raise typer.Exit(FAILED)
    if waited and sent.fates and not sent.answered:
        raise fail("nobody answers; clh run accrual books events, clh run relay answers them", code=NOT_RUNNING)


def _tables(sent: Sent, *, waited: bool, name: str) -> None:
    rows = [(outcome, f"{sent.count(outcome):,}", "") for outcome in ("accepted", "held") if sent.count(outcome)]
    rows += [(f"rejected: {code}", f"{len(fates):,}", _named(fates)) for code, fates in sent.rejected.items()]
    silent = [fate for fate in sent.fates if fate.answer is None]
    if silent:
        rows.append(("unanswered" if waited else "sent", f"{len(silent):,}", _named(silent) if waited else ""))
    print_table(("outcome", "events", "ids"), rows, title=f"{len(sent.fates):,} sent", right=("events",))
    before = sum(1 for fate in sent.fates if fate.as_before)
    if before:
        shown = "1 of them had been sent before, and is" if before == 1 else f"{before:,} of them had been sent before, and are"
        say_aside(f"{shown} answered as before")
    refused = [fate for fate in sent.fates if fate.outcome == "rejected"]
    for fate in refused[:SHOWN]:
        assert fate.answer is not None
        say_aside(f"{name}:{fate.line}: {in_words(fate.answer)}{', answered as before' if fate.as_before else ''}")
    if len(refused) > SHOWN:
        say_aside(f"and {len(refused) - SHOWN:,} more that were refused: --output json names them all")
    for code in sent.rejected:
        say_aside(page_of(code))


def in_words(answer: Answered) -> str:
    """Where an event is wrong, why, and under which code."""
    return f"{answer.data['pointer'] or 'the event'}: {answer.data['detail']} [{answer.data['code']}]"


def page_of(code: str) -> str:
    """The page on a code of a refusal, and what it says first."""
    from schemas.events.answers import RejectionCode
    from services.docs.codes import MEANINGS

    return f"{code}: {MEANINGS[RejectionCode(code)].split('. ')[0].rstrip('.')}. See docs/errors.md#{code}"


def _named(fates: Sequence[Fate]) -> str:
    """Ids, or lines where there is none, of the first of them."""
    names = [fate.id or f"line {fate.line}" for fate in fates]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
