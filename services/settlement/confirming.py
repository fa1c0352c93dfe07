"""What statements bring about: they count one after the other, each in one transaction with all that follows from it.

A window whose payments are all on statements that count is settled, and final. What later statements show of its payments (money that comes back, or is
more than was owed) is an adjustment in the current window; so is what they show of a run that defaulted, beyond
what counted as paid then. Done again, or by two at once, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

import psycopg

from clearing.default_loss import recovered
from clearing.entries import Code
from clearing.payment_states import PaymentKind
from clearing.window import Event
from schemas.ids import PartyId
from services.journal.corrections import book_correction
from services.journal.windows import HOUSE, lock_window, move_window
from services.settlement.baselines import losses
from services.settlement.concerned import of_matching
from services.settlement.payment_moves import note_moves
from services.settlement.statements import count_next
from services.settlement.transport import Tell
from services.settlement.verify_bank import require_decisions
from services.settlement.verify_messages import require_messages, require_statement

LOCK = "select pg_advisory_lock(hashtext(current_schema() || ' matching'))"
UNLOCK = "select pg_advisory_unlock(hashtext(current_schema() || ' matching'))"
# What statements that count show of payment `p`; a question for each, so that it is answered from indexes.
SHOWN = """(select sum(m.amount) from entry_payment m join statement_counts c on c.report = m.report where m.run = p.run and m.payment = p.id)"""
NEWEST = "join lateral (select no, sha256 from run where run.day = w.day order by no desc limit 1) r on true"
# Instructed windows of whose newest run no payment is missing on statements that count.
CONFIRMED = f"""
select w.day, r.no, r.sha256 from settlement_window w {NEWEST}
where w.state = 'instructed' and not exists (
  select from payment p where p.run = r.no and p.kind <> 'direct' and coalesce({SHOWN}, 0) < p.amount
) order by w.day
"""  # noqa: S608  # text from above
# Payments of settled windows, and of runs that defaulted, that this statement touches, or of a window that has just been settled; with what statements show
# beyond their amount, or beyond what counted as paid at the default, and what of it is put right: above zero, too much was paid; below, some is missing again.
DIFFERENCES = f"""
with touched as (
  select m.run, m.payment from entry_payment m where m.report = %(report)s
  union
  select p.run, p.id from run r join payment p on p.run = r.no where r.day = any(%(days)s) and p.kind <> 'direct'
  union
  select run, payment from payment_baseline where excess > 0
)
select p.run, p.id, p.kind, p.payer, p.payee, p.currency, w.day, b.run is not null,
  (coalesce({SHOWN}, 0) - coalesce(b.confirmed, p.amount))::bigint,
  coalesce((select sum(k.amount) from payment_correction k where k.run = p.run and k.payment = p.id), 0)::bigint
from touched t join payment p on p.run = t.run and p.id = t.payment join run r on r.no = p.run join settlement_window w on w.day = r.day
left join payment_baseline b on b.run = p.run and b.payment = p.id
where p.kind <> 'direct' and (b.run is not null or (w.state = 'settled' and p.run = (select max(no) from run newest where newest.day = r.day)))
order by p.run, p.id
"""  # noqa: S608  # text from above
KEEP_CORRECTION = "insert into payment_correction (run, payment, report, amount, correction) values (%s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Correction:
    """An adjustment that was booked: what statements show of a payment beyond its amount (above zero), or short of it, in minor units."""

    payment: str
    window: date
    amount_minor: int
    debtor: str
    creditor: str
    currency: str


@dataclass(slots=True)
class Matched:
    """What matching brought: ids of statements that count now, windows that are settled now, adjustments booked, payments that moved."""

    statements: list[str] = field(default_factory=list)
    settled: list[date] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    moved: int = 0


def match(connection: psycopg.Connection, programme: str, now: datetime, tell: Tell = lambda _: None) -> Matched:
    """Lets every statement count that can, in the order of the chains, and does what follows. `now` is only noted: nothing depends on the clock.

    Raises `SettlementError`: bad-signature, where a statement was withdrawn, or money assigned, by words that nobody signed; check-failed, where a statement
    that would count, or what settles or puts right a payment, is not in the books as it stands in the bank's message; and
    `services.journal.corrections.NoOpenWindow` where an adjustment finds no window; what came before it stays done.
    """
    done = Matched()
    with matching(connection):
        require_decisions(connection, programme, of_matching(connection))
        with connection.transaction():
            done.settled += settle_confirmed(connection, programme, now)
            tell("looked")
        while True:
            with connection.transaction():
                counted = count_next(connection, now)
                if counted is None:
                    break
                tell("counted")
                report, name = counted
                require_statement(connection, report)
                moved = note_moves(connection, programme, now, report=report)
                settled = settle_confirmed(connection, programme, now, because=name)
                tell("settled")
                corrections = _correct(connection, report, name, settled)
                tell("corrected")
            tell("committed")
            done.statements.append(name)
            done.settled += settled
            done.corrections += corrections
            done.moved += moved
        with connection.transaction():
            done.moved += note_moves(connection, programme, now)
        tell("told")
    return done


def settle_confirmed(connection: psycopg.Connection, programme: str, now: datetime, *, because: str | None = None, by: str = HOUSE) -> list[date]:
    """Settles, in the caller's transaction, every instructed window of which nothing is missing; returns their days. The database looks again.

    What the bank has said of their payments is read anew from its messages. Raises `SettlementError`: check-failed.
    """
    settled = []
    for day, run, sha256 in connection.execute(CONFIRMED).fetchall():
        if lock_window(connection, day) == "instructed":
            require_messages(connection, run, day)
            move_window(connection, programme, day, Event.CONFIRMED, run=(run, sha256), at=now, by=by, because=because)
            settled.append(day)
    return settled


def _correct(connection: psycopg.Connection, report: int, name: str, settled: list[date]) -> list[Correction]:
    """Books once what each payment shows beyond what is settled of it: whoever has the money owes it to whom it belongs."""
    booked = []
    read: set[int] = set()
    for row in connection.execute(DIFFERENCES, {"days": settled, "report": report}).fetchall():
        run, payment, kind, payer, payee, currency, day, defaulted, difference, put_right = row
        if difference == put_right:
            continue
        own, house = (payer, payee) if kind == PaymentKind.INCOMING else (payee, payer)
        if run not in read:
            require_messages(connection, run, day)
            read.add(run)
        bore = losses(connection, own, currency, day, run) if defaulted and kind == PaymentKind.INCOMING else {}
        before = recovered(put_right, own, bore)
        for party, share in recovered(difference, own, bore).items():
            more = share - before[party]
            if more == 0:
                continue
            if party == house:  # a loss that the operator bore itself: it has the money, and owes nobody
                connection.execute(KEEP_CORRECTION, (run, payment, report, more, None))
                continue
            debtor, creditor = (house, party) if (more > 0) == (kind == PaymentKind.INCOMING) else (party, house)
            made = book_correction(
                connection, Code.ADJUSTMENT, PartyId(debtor), PartyId(creditor), currency, abs(more),
                reference=f"{payment}/{run}/{report}" + (f"/{party}" if party != own else ""),
                reason=_reason(name, "more" if more > 0 else "less", f"{kind} payment {payment} of window {day}", defaulted=defaulted), by=HOUSE,
            )  # fmt: skip
            connection.execute(KEEP_CORRECTION, (run, payment, report, more, made.no))
            booked.append(Correction(payment, day, more, debtor, creditor, currency))
    return booked


def _reason(statement: str, how: str, of: str, *, defaulted: bool) -> str:
    if defaulted:
        return f"statement {statement} shows {how} of {of} than counted as paid when the window defaulted"
    return f"statement {statement} shows {how} than its amount of {of}, which is settled"


@contextmanager
def matching(connection: psycopg.Connection) -> Iterator[None]:
    """Nobody else lets statements count, or settles on them, meanwhile."""
    connection.execute(LOCK)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(UNLOCK)
