"""What is known to go wrong with programmes whose files are right: small checks, each yielding a place, a code and a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.programme import ProgrammeFile
from services.programme.advice.advice import Advice
from services.programme.advice.clashes import CHECKS as CLASHES
from services.programme.advice.contracts import CHECKS as CONTRACTS
from services.programme.advice.design import CHECKS as DESIGN
from services.programme.advice.effects import CHECKS as EFFECTS
from services.programme.advice.value import CHECKS as VALUE

__all__ = ["Advice", "advise"]


def advise(file: ProgrammeFile) -> Iterator[Advice]:
    """Everything worth a second look in a programme."""
    for check in (*CONTRACTS, *CLASHES, *VALUE, *DESIGN, *EFFECTS):
        yield from check(file)
