"""What the accounts ask the journal: sums by month and contract version, made by the database. All of them are as of the end of a window."""

WINDOWS = """
select min(day) filter (where state not in ('open', 'draining')), max(day) filter (where state not in ('open', 'draining')) from settlement_window
"""
IS_CLOSED = "select state not in ('open', 'draining') from settlement_window where day = %s"

# --- points outstanding ------------------------------------------------------------------------------------------------------------------

# Points that wait to be funded (codes 12 and 13) are nobody's liability yet.
# Points that a transfer adds to a member's available (0), pending (1) or held (2) points, and those that it takes from them.
_MOVES = """
select t.member, t.sponsor, t.contract, t.earned, t.expiry, t.credit & 3 part, t.amount points
from transfer t where t.unit = %(points)s and t.day <= %(day)s and t.credit >= 0 and t.credit & 3 < 3 and t.code <> 12
union all
select t.member, t.sponsor, t.contract, t.earned, t.expiry, t.debit & 3, -t.amount
from transfer t where t.unit = %(points)s and t.day <= %(day)s and t.debit >= 0 and t.debit & 3 < 3 and t.code <> 13
"""
# Markers of inactivity lie from year 9000 on and carry the months; their day follows from the member's last earning or spending up to that window.
_MARKED = "expiry >= '9000-01-01' and expiry < '9004-01-01'"
_ACTIVE = """
select t.member, max(e.event_day) last from transfer t join entry e on e.record = t.entry
where t.code in (1, 3, 12) and t.unit = %(points)s and t.day <= %(day)s and e.booked <= %(day)s group by t.member
"""
OUTSTANDING = f"""
select p.id, c.valid_from, o.part, o.earned, o.expires, sum(o.points)::bigint from (
  select sponsor, contract, part, date_trunc('month', earned)::date earned,
    case when expiry < '9000-01-01' then date_trunc('month', expiry)::date end expires, points
  from ({_MOVES}) m where not ({_MARKED})
  union all
  select m.sponsor, m.contract, m.part, date_trunc('month', m.earned)::date,
    (date_trunc('month', greatest(a.last, m.earned)::timestamp) + make_interval(months => m.expiry - date '9000-01-01'))::date, m.points
  from (select member, sponsor, contract, part, earned, expiry, sum(points) points from ({_MOVES}) m where {_MARKED} group by 1, 2, 3, 4, 5, 6) m
  left join ({_ACTIVE}) a on a.member = m.member where m.points <> 0
) o join party p on p.no = o.sponsor join contract c on c.no = o.contract
group by 1, 2, 3, 4, 5 having sum(o.points) <> 0 order by 1, 2, 3, 4, 5
"""  # noqa: S608  # parts of statements from this file
# What members owe: points taken back that they had spent, less what has repaid them.
OWED = """
select coalesce(sum(case when code = 6 then amount else -amount end), 0)::bigint from transfer
where day <= %(day)s and unit = %(points)s and (code = 4 or (code = 6 and debit >= 0))
"""
# What was outstanding by sponsor when the window was closed: counted then from the lots, and kept with the night's steps.
CLOSING = "select figures from night_step where day = %s and step = 'close'"

# --- what points were spent at -----------------------------------------------------------------------------------------------------------

# Points redeemed, less what was put back, by the redeeming partner's contract version; from the totals that the night prices.
REDEEMED = """
select p.id, c.valid_from, sum(case when t.code = 3 then t.quantity else -t.quantity end)::bigint
from total t join party p on p.no = t.counterparty join contract c on c.no = t.counter_contract
where t.code in (3, 7) and t.day > %(after)s and t.day <= %(day)s group by 1, 2
having sum(case when t.code = 3 then t.quantity else -t.quantity end) <> 0 order by 1, 2
"""

# --- what became of points ---------------------------------------------------------------------------------------------------------------

# By cohort, contract version and code, month by month; `operator`: whether the counterparty is the operator (who bears what is taken back).
_BECAME = """
date_trunc('month', t.earned)::date as cohort, p.id sponsor, c.valid_from contract, t.code,
  coalesce(b.id = %(operator)s, false) as by_operator, sum(t.amount)::bigint
from transfer t join party p on p.no = t.sponsor join contract c on c.no = t.contract left join party b on b.no = t.counterparty
where t.unit = %(points)s and t.code in (1, 3, 4, 5, 6, 7, 8, 11) and t.day <= %(day)s
"""
BY_MONTH = f"select date_trunc('month', t.day)::date as month, {_BECAME} group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6"  # from above
BY_WINDOW = f"select t.day, {_BECAME} and t.day >= %(first)s group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6"  # from above

# --- what the operator owes and is owed --------------------------------------------------------------------------------------------------

UNCLEARED = "select min(day) from settlement_window where day >= %(first)s and day <= %(day)s and state = 'closed'"
OPERATORS_LINES = """
select day, line, kind, detail, debtor, creditor, currency, amount, contract from obligation
where day >= %(first)s and day <= %(day)s and (debtor = %(operator)s or creditor = %(operator)s) order by day, line
"""
