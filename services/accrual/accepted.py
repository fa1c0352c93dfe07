"""Accepted events as lines of COPY: nearly all entries of a batch. What many of them share is written once."""

from datetime import date, datetime

from clearing.events import Decision
from services.accrual import answers
from services.journal.entries import NULL, escaped
from services.journal.names import Names


class AcceptedLines:
    """Writes the lines of one batch; they all take effect in the window that is booked."""

    def __init__(self, names: Names, window: date) -> None:
        self.names = names
        self.window = window.isoformat()
        self._shared: dict[tuple[str, str, date | None], tuple[str, str]] = {}
        self._days: dict[date, str] = {}
        self._times: dict[datetime, str] = {}

    def line(self, decision: Decision) -> str:
        """One accepted event. Only what senders wrote freely can hold what COPY would misread."""
        received, member, day = decision.received, decision.member, decision.day
        event, received_at = received.event, received.received_at
        before, between = self._shared.get((event.type, event.source, decision.contract)) or self._share(decision)
        shown = self._days.get(day)
        if shown is None:
            shown = self._days[day] = day.isoformat()
        at = self._times.get(received_at)
        if at is None:
            at = self._times[received_at] = str(received_at)
        applied = NULL if decision.applied is None else ",".join(decision.applied)
        answer = answers.accrual(event.source, event.id, decision, self.window)
        if "\\" in answer:
            answer = escaped(answer)
        return (
            f"{received.record}\t{before}{event.id}{between}{NULL if member is None else member.no}\t\\N\t{shown}\t{at}\t\\N\t\\N\t\\N\t{applied}\t"
            f"{answer}\t{escaped(received.value.decode())}\t\\N\n"
        )

    def _share(self, decision: Decision) -> tuple[str, str]:
        """What stands before the event's id, and between it and the member."""
        event, sender, contract = decision.received.event, decision.received.sender, decision.contract
        party = self.names.party[sender]
        assert party is not None, "only parties are accepted"
        version = NULL if contract is None else self.names.contract[sender, contract]
        texts = f"{self.window}\t{self.window}\taccepted\t{event.type}\t{self.names.source[event.source]}\t", f"\t{party}\t{version}\t"
        self._shared[event.type, event.source, contract] = texts
        return texts
