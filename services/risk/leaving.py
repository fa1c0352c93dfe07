"""What is open of a party that leaves, from the books as they are now: `clh risk exit`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import psycopg

from clearing.leaving import Account, Defaulted, Leaving, OpenWindow
from clearing.liability import LiabilityLine
from clearing.lines import minor
from clearing.netting import positions
from clearing.plan import Plan
from clearing.risk import Points
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from services.accounts.books import Books
from services.accounts.liability import liability_of
from services.night.statements import WAIT
from services.risk.errors import RiskCode, RiskError
from services.risk.exposure import Exposure, exposure
from services.settlement.defaulted import defaulted_runs

# Netted windows that are not settled, with a party's position, and what is paid for it: with what was carried to it, less what is carried on.
WINDOWS = """
with windows as (select day, state, lag(day) over (order by day) before from settlement_window),
  unsettled as (select w.* from windows w where w.state <> 'settled' and exists (select from run r where r.day = w.day))
select day, state, currency, sum(net)::bigint, sum(net + carried)::bigint from (
  select u.day, u.state, o.currency, case when o.creditor = %(party)s then o.amount else -o.amount end net, 0 carried
  from unsettled u join obligation o on o.day = u.day and %(party)s in (o.debtor, o.creditor)
  union all select u.day, u.state, c.currency, 0, c.amount from unsettled u join carried c on c.day = u.before and c.party = %(party)s
  union all select u.day, u.state, c.currency, 0, -c.amount from unsettled u join carried c on c.day = u.day and c.party = %(party)s
) open group by day, state, currency having sum(net) <> 0 or sum(net + carried) <> 0 order by day, currency
"""
CARRIED = "select currency, amount, since from carried where party = %s and day = (select max(day) from run)"
DEFAULTED = "select distinct day from window_move where event = 'unpaid_at_deadline' order by day"
STATES = "select day, state from settlement_window w where not exists (select from run r where r.day = w.day)"
DISPUTES = """
select d.no from dispute d where %(party)s in (d.debtor, d.creditor)
  and (select t.to_state from dispute_turn t where t.dispute = d.no order by t.no desc limit 1) in ('open', 'held', 'evidence') order by d.no
"""
# Holds that its tills have opened and nobody has closed; an index holds those that are open.
HOLDS = "select count(*) from original o join entry e on e.record = o.record join party p on p.no = e.party where o.expires_at is not null and p.id = %s"
HELD_EVENTS = "select count(*) from held h join entry e on e.record = h.record join party p on p.no = e.party where p.id = %s"
CASH_BACK = """
select u.id, sum(a.earned - a.paid)::bigint from cash_back_account a join party p on p.no = a.payer join unit u on u.no = a.unit
where p.id = %s and a.earned > a.paid group by u.id
"""


def leaving(connection: psycopg.Connection, party: PartyId, at: date | None) -> Leaving:
    """What an exit with the last day `at` means; None: the last day of its contract, or of the newest window. Money is in minor units.

    The connection is read only from here on, and sees one snapshot. Raises `RiskError`: unknown-party, operator-stays.
    """
    books = Books(connection)
    file, plan = books.file, Plan(books.file)
    if party not in {one.id for one in file.parties}:
        raise RiskError(RiskCode.UNKNOWN_PARTY, f"the programme has no party {party}")
    if party == plan.operator:
        raise RiskError(RiskCode.OPERATOR_STAYS, f"{party} runs the programme: it cannot leave it")
    now, closed = exposure(connection, plan), books.closed
    last_day, versions = plan.terms.last_day(party), [one for one in file.contracts if one.party == party]
    day = at or last_day or now.today or date.min
    found = liability_of(books, closed[1]) if closed is not None else None
    lines = [line for line in found.lines if line.bucket.sponsor == party] if found is not None else []
    unfunded = {PartyId(sponsor): points for sponsor, points in connection.execute(WAIT)}.get(party, 0)
    ((holds,),) = connection.execute(HOLDS, (party,)).fetchall()
    ((held_events,),) = connection.execute(HELD_EVENTS, (party,)).fetchall()
    return Leaving(
        party=party,
        at=day,
        last_day=last_day,
        has_contract=bool(versions),
        returns_on=min((one.valid_from for one in versions if one.valid_from > day), default=None),
        bearer={"anchor": str(party), "hybrid": f"{plan.operator} and {party}"}.get(file.programme.operator.model, str(plan.operator)),
        points=sum(line.points for line in lines),
        held_points=sum(line.held for line in lines),
        unfunded=unfunded,
        windows=_windows(connection, party, now),
        accounts=_accounts(connection, file, party, now, lines),
        disputes=[no for (no,) in connection.execute(DISPUTES, {"party": party})],
        open_holds=holds,
        held_events=held_events,
        mechanics=_funded(file, party, day),
        defaults=_defaults(connection, party),
    )


def _defaults(connection: psycopg.Connection, party: PartyId) -> list[Defaulted]:
    """What it had not paid by the deadlines of windows; of a whole programme few windows have defaulted."""
    days = [day for (day,) in connection.execute(DEFAULTED).fetchall()]
    return [
        Defaulted(day, one.currency, one.amount_minor) for day in days for run in defaulted_runs(connection, day) for one in run.unpaid if one.party == party
    ]


def _windows(connection: psycopg.Connection, party: PartyId, now: Exposure) -> list[OpenWindow]:
    found = [OpenWindow(*row) for row in connection.execute(WINDOWS, {"party": party})]
    for day, state in connection.execute(STATES).fetchall():
        for currency, of_currency in positions(line for line in now.unnetted if line.window == day).items():
            if net := of_currency.get(party, 0):
                found.append(OpenWindow(day, state, currency, net, net))
    return sorted(found, key=lambda one: (one.day, one.currency))


def _accounts(connection: psycopg.Connection, file: ProgrammeFile, party: PartyId, now: Exposure, lines: Sequence[LiabilityLine]) -> list[Account]:
    carried = {currency: (amount, since) for currency, amount, since in connection.execute(CARRIED, (party,))}
    cash_back: dict[str, int] = dict(connection.execute(CASH_BACK, (party,)).fetchall())
    estimated = all(line.expected is not None for line in lines)
    accounts = []
    for currency in file.programme.currencies:
        paid, cost = (sum(of.get(currency, 0) for of in sums) for sums in ([line.paid for line in lines], [line.cost for line in lines]))
        amount, since = carried.get(currency, (0, None))
        accounts.append(
            Account(
                currency=currency,
                owes_minor=now.owes.get((party, currency), 0),
                carried_minor=amount,
                since=since,
                funds_minor=now.funds_of(party, currency),
                cash_back_minor=cash_back.get(currency, 0),
                points=Points(sum(line.points for line in lines), paid, cost),
                expected_minor=sum((line.expected or {}).get(currency, 0) for line in lines) if estimated else None,
                minimum_minor=minor(file.programme.minimum_settlement_of(currency), currency),
            )
        )
    return accounts


def _funded(file: ProgrammeFile, party: PartyId, day: date) -> list[str]:
    """Mechanics that go on after the day and name the party as one who pays."""
    return sorted(
        {one.id for one in file.mechanics if (one.valid_to is None or one.valid_to > day) and any(share.party == party for share in one.funding or ())}
    )
