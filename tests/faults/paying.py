"""What children do that pay a window or match its statements, until they are killed at a step."""

from __future__ import annotations

from collections.abc import Callable

from services.settlement.confirming import match
from services.settlement.instructing import Paying, pay
from services.settlement.transport import Transport
from tests.coalition import Coalition
from tests.faults.child import Meeting, Say, meet
from tests.faults.points import die
from tests.paying import NOW
from tests.signers import MONDAY

Moment = tuple[str, int]
"""A step, and which time that it is reached."""


def killed_at(moment: Moment | None) -> Callable[[str], None]:
    """Hears of steps, and is killed at that one."""
    reached: dict[str, int] = {}

    def tell(step: str) -> None:
        reached[step] = reached.get(step, 0) + 1
        if (step, reached[step]) == moment:
            die()

    return tell


def pay_window(say: Say, one: Coalition, transport: Transport, moment: Moment | None) -> None:
    """Pays Monday."""
    with one.books() as books:
        pay(books, MONDAY, Paying(one.id, "mia", NOW, transport, killed_at(moment)))


def pay_corrected(say: Say, one: Coalition, transport: Transport, moment: Moment | None) -> None:
    """Pays again what was rejected of Monday."""
    with one.books() as books:
        pay(books, MONDAY, Paying(one.id, "mia", NOW, transport, killed_at(moment)), corrected=True)


def pay_in_step(say: Say, one: Coalition, transport: Transport, meeting: Meeting) -> None:
    """Pays Monday at the same moment as another."""
    with one.books() as books:
        meet(meeting)
        pay(books, MONDAY, Paying(one.id, "mia", NOW, transport))


def match_statements(say: Say, one: Coalition, moment: Moment | None) -> None:
    """Lets statements count."""
    with one.books() as books:
        match(books, one.id, NOW, killed_at(moment))


def match_in_step(say: Say, one: Coalition, meeting: Meeting) -> None:
    """Lets statements count at the same moment as another."""
    with one.books() as books:
        meet(meeting)
        match(books, one.id, NOW)
