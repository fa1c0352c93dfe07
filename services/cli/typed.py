"""What people type and the house keeps: reasons, notes, references, names. None of it may hold the number of a payment card."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import typer

from schemas.card_numbers import bytes_hold_card_number, card_numbers_in
from services.cli.output import fail

CARD_NUMBER: Final = "card-number-in-clear"
WITH_AMOUNT: Final = frozenset({("funding", "add"), ("funding", "pay-out"), ("funding", "confirm")})
"""Commands whose amount is an argument: below nothing, it would be read as an option."""
BELOW_NOTHING: Final = re.compile(r"-[.,]?\d[\d.,]*")


def no_card_number(parameter: typer.CallbackParam, value: str | None) -> str | None:
    """The callback of every option and argument whose text is kept: hands it on, or ends the command before anything is done. The number is not repeated.

    Looked at is what was typed, and what is kept of it: the words with single spaces between them.
    """
    if value is not None and any(map(card_numbers_in, (value, " ".join(value.split())))):
        name = max(parameter.opts, key=len) if parameter.opts and parameter.opts[0].startswith("-") else str(parameter.name).upper()
        raise _refused(name)
    return value


def negative_amount(words: Sequence[str]) -> str | None:
    """The sentence for a command line with an amount below nothing, where one above it is asked for; None where it has none."""
    if tuple(words[:2]) not in WITH_AMOUNT:
        return None
    found = next((word for before, word in pairwise(words[1:]) if BELOW_NOTHING.fullmatch(word) and not before.startswith("-")), None)
    return (
        None
        if found is None
        else f"clh {' '.join(words[:2])}: an amount is above nothing, such as 5000.00; {found} is not. What goes back is clh funding pay-out"
    )


def refuse_card_number(what: str, name: str, content: bytes = b"") -> None:
    """Ends the command where a file that is to be kept has a card number in its name, or in what can be read of it as text."""
    if card_numbers_in(name):
        raise _refused(f"the name of {what}")
    if bytes_hold_card_number(content):
        raise _refused(what)


def _refused(where: str) -> typer.Exit:
    words = f"{where} holds what passes for a payment card number: nothing has changed, and nothing of it is kept; name a card by its token or last four digits"
    return fail(f"{words} [{CARD_NUMBER}]")
