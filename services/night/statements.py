"""The night's set-based statements. Memory does not grow with the number of events: rows never leave the database."""

from services.journal.sides import CREDIT_FOLLOWS, DEBIT_FOLLOWS, UNIT_FOLLOWS

# --- windows ---------------------------------------------------------------------------------------------------------------------------

STATE = "select state from settlement_window where day = %s"
# The window's row is locked first: a batch that is being booked holds it shared, so no offset moves while the cut is found.
LOCK_OPEN = "select day from settlement_window where day = %s and state = 'open' for update"
CUT = "insert into cut (day, topic, part, end_offset) select %s, * from unnest(%s::smallint[], %s::int[], %s::bigint[])"
# When it was cut: the end of a window that the clock does not end, the same however often and late its night goes on.
MARK_CUT = "insert into night_step (day, step, figures) values (%s, 'cut_off', jsonb_build_object('at', now()))"
WINDOW_END = """
select coalesce(w.received_at, w.ends_at, (s.figures ->> 'at')::timestamptz, now()) from settlement_window w
left join night_step s on s.day = w.day and s.step = 'cut_off' where w.day = %s
"""
OPEN_WINDOW = "insert into settlement_window (day, state, ends_at, received_at) values (%s, 'open', %s, %s) on conflict do nothing"
# Partitions that are not booked to their cut.
BEHIND = """
select count(*) from cut c left join progress p on p.topic = c.topic and p.part = c.part
where c.day = %s and c.end_offset > coalesce(p.next_offset, 0)
"""
STEP_DONE = "select 1 from night_step where day = %s and step = %s"
MARK_STEP = "insert into night_step (day, step, figures) values (%s, %s, %s)"

# --- release of pending points (rule 9) ------------------------------------------------------------------------------------------------

DUE_RELEASE = """
create temporary table due on commit drop as
select member, sponsor, contract, expiry, earned, release_on, points from lot where live and release_on > '0001-01-01' and release_on <= %s
"""
EMPTY_DUE = """
update lot l set points = 0, live = false from due d
where (l.member, l.sponsor, l.contract, l.expiry, l.earned, l.release_on) = (d.member, d.sponsor, d.contract, d.expiry, d.earned, d.release_on)
"""
RELEASE = """
insert into lot as l (member, sponsor, contract, expiry, earned, release_on, points, live)
select member, sponsor, contract, expiry, earned, '0001-01-01', sum(points), true from due group by 1, 2, 3, 4, 5
on conflict (member, sponsor, contract, expiry, earned, release_on) do update set points = l.points + excluded.points, live = true
"""
RELEASE_JOURNAL = """
insert into transfer (entry, line, day, code, amount, unit, debit, credit, member, sponsor, contract, expiry, earned, release_on, first)
select %(entry)s, row_number() over (order by member, expiry, earned, sponsor, contract, release_on), %(day)s, %(code)s, points, %(unit)s,
  member::bigint * 4 + 1, member::bigint * 4, member, sponsor, contract, expiry, earned, release_on, false
from due
"""
RELEASE_BALANCE = """
update member m set available = m.available + d.points, pending = m.pending - d.points
from (select member, sum(points) points from due group by member) d where m.no = d.member
"""
# Totals of a step, by the keys of pricing: the first path of what the night itself books.
STEP_TOTALS = """
insert into total (day, code, sponsor, contract, unit, quantity, events)
select %(day)s, %(code)s, sponsor, contract, %(unit)s, sum(points), 0 from due group by sponsor, contract
"""
# Who owes points and has some released: they repay (rule 7); few.
OWING_DUE = "select distinct d.member from due d join member m on m.no = d.member where m.owed > 0 order by 1"
OWING_LOTS = "select distinct sponsor, contract, expiry, earned from due where member = %s"

# --- expiry (rules 8, 20) --------------------------------------------------------------------------------------------------------------

# Lots of unfunded points, whose release day lies from year 5000 on, expire before (services/night/funding.py).
# Markers of inactivity lie from year 9000 on and carry the months; their day follows from the member's last activity.
DUE_EXPIRY = """
create temporary table due on commit drop as
select l.member, l.sponsor, l.contract, l.expiry, l.earned, l.release_on, l.points from lot l
where l.live and l.expiry <= %(day)s and l.release_on < '5000-01-01'
union all
select l.member, l.sponsor, l.contract, l.expiry, l.earned, l.release_on, l.points from lot l join member m on m.no = l.member
where l.live and l.expiry >= '9000-01-01' and l.expiry < '9004-01-01' and l.release_on < '5000-01-01'
  and date_trunc('month', greatest(m.last_activity, l.earned)::timestamp)
    + make_interval(months => l.expiry - date '9000-01-01' + 1) - interval '1 day' <= %(day)s
"""
EXPIRE = """
update lot l set points = 0, expired = l.expired + d.points, live = false from due d
where (l.member, l.sponsor, l.contract, l.expiry, l.earned, l.release_on) = (d.member, d.sponsor, d.contract, d.expiry, d.earned, d.release_on)
"""
EXPIRY_JOURNAL = """
insert into transfer (entry, line, day, code, amount, unit, debit, credit, member, sponsor, contract, expiry, earned, release_on, first)
select %(entry)s, row_number() over (order by member, expiry, earned, sponsor, contract, release_on), %(day)s, %(code)s, points, %(unit)s,
  member::bigint * 4 + (release_on > '0001-01-01')::int, -((sponsor::bigint * 16 + %(role)s) * 256 + %(unit)s),
  member, sponsor, contract, expiry, earned, release_on, false
from due
"""
EXPIRY_BALANCE = """
update member m set available = m.available - d.available, pending = m.pending - d.pending
from (select member, coalesce(sum(points) filter (where release_on = '0001-01-01'), 0) available,
             coalesce(sum(points) filter (where release_on > '0001-01-01'), 0) pending from due group by member) d
where m.no = d.member
"""

# --- limits of the whole programme ------------------------------------------------------------------------------------------------------------

# Returns of purchases that wait, booked by a version of the code that did not put them off beside them. Only what was returned has an original.
LEFT_OUT = """
select r.record, r.received_at, d.record, r.body, s.uri, p.id
from deferred d join original o on o.record = d.record join entry p on p.record = d.record join source s on s.no = p.source
join entry r on r.member = p.member and r.booked = d.day and r.outcome = 'accepted' and r.type in ('return.v1', 'price-adjustment.v1')
where d.day = %s and d.sale is null and not exists (select 1 from deferred put where put.record = r.record)
"""
PUT_OFF = "insert into deferred (record, day, received_at, sale) values (%s, %s, %s, %s)"
# What was put off, with its place. A return that came before its purchase had waited for it: its place is behind all that came in order.
PLACES = """
create temporary table put_off on commit drop as
select d.record, d.sale, d.room, row_number() over (
  order by coalesce((d.received_at, d.record) < (s.received_at, s.record), false), d.received_at, d.record
) place
from deferred d left join deferred s on s.record = d.sale where d.day = %s
"""
SALES = "create index on put_off (sale) where sale is not null"
IN_ORDER = "select record, sale, room from put_off order by place"
ENTRIES = """
select e.record, s.uri, e.id, e.member, e.received_at, e.body, e.party, e.answer from entry e join source s on s.no = e.source where e.record = any(%s)
"""
BACKS = "select sale, record from put_off where sale = any(%s) order by place"
DONE = "delete from deferred where day = %s"
SHARED_USE = "select name, used from shared_use"
ANSWER = "update entry set answer = %s, applied = %s where record = %s"

# --- what waited, what was held, holds that ran out -------------------------------------------------------------------------------------

WAITING = """
select w.record, w.received_at, e.body, e.party from waiting w join entry e on e.record = w.record and e.day = w.day
where w.day = %s order by w.received_at, w.record
"""
RUN_OUT = "select record, member from original where expires_at <= %s order by member, expires_at, record"
LAPSED = """
select h.record, h.received_at, e.body, e.party from held h join entry e on e.record = h.record and e.day = h.day
where h.event_day + %s <= %s order by h.received_at, h.record limit 1000
"""

# --- what members have when the window is closed -----------------------------------------------------------------------------------------

BALANCES = """
select m.available, m.pending, m.held, m.owed, l.available, l.pending, h.points from
  (select coalesce(sum(available), 0)::bigint available, coalesce(sum(pending), 0)::bigint pending, coalesce(sum(held), 0)::bigint held,
     coalesce(sum(owed), 0)::bigint owed from member) m,
  (select coalesce(sum(points) filter (where release_on = '0001-01-01'), 0)::bigint available,
     coalesce(sum(points) filter (where release_on > '0001-01-01'), 0)::bigint pending from lot where live) l,
  (select coalesce(sum((part ->> 4)::bigint), 0)::bigint points from original o, jsonb_array_elements(o.state::jsonb -> 'lots') part
     where o.expires_at is not null) h
"""
# Points that wait to be funded are not outstanding: nobody has issued them yet.
OUTSTANDING = """
select p.id, sum(l.points)::bigint from lot l join party p on p.no = l.sponsor where l.live and l.release_on < '5000-01-01' group by p.id order by p.id
"""
CLOSING = "select figures from night_step where day = %s and step = 'close'"

# --- totals by two paths -----------------------------------------------------------------------------------------------------------------

BOOKED_TOTALS = """
select code, sponsor, contract, counterparty, counter_contract, unit, sum(quantity)::bigint, sum(events)::bigint from total where day = %s
group by code, sponsor, contract, counterparty, counter_contract, unit
"""
# The rows of the journal by pricing key, in one scan: what they add up to, and how much of it stands on either side in an account that follows
# from the rest of its row.
JOURNAL = f"""
select t.code, t.sponsor, t.contract, t.counterparty, t.counter_contract, t.unit, sum(t.amount)::bigint, count(*) filter (where t.first),
  coalesce(sum(t.amount) filter (where {DEBIT_FOLLOWS} and {UNIT_FOLLOWS}), 0)::bigint,
  coalesce(sum(t.amount) filter (where {CREDIT_FOLLOWS} and {UNIT_FOLLOWS}), 0)::bigint
from transfer t where t.day = %(day)s group by t.code, t.sponsor, t.contract, t.counterparty, t.counter_contract, t.unit
"""  # noqa: S608  # conditions from services/journal/sides.py
# Accepted purchases by sender and its contract: those received in the window, and held ones that took effect in it.
PURCHASES = """
select 41, party, contract, null, null, %(purchases)s, count(*), count(*) from (
  select party, contract from entry where day = %(day)s and booked = %(day)s and outcome = 'accepted' and type = 'purchase.v1'
  union all
  select party, contract from entry where booked = %(day)s and booked <> day and outcome = 'accepted' and type = 'purchase.v1'
) bought group by party, contract
"""
# Distinct events of lines that several totals were merged into.
DISTINCT = """
select k.line, count(distinct t.entry) filter (where t.entry > 0)
from unnest(%(line)s::int[], %(code)s::smallint[], %(sponsor)s::smallint[], %(contract)s::int[], %(counterparty)s::smallint[], %(counter)s::int[],
     %(unit)s::smallint[]) k (line, code, sponsor, contract, counterparty, counter, unit)
join transfer t on t.day = %(day)s and t.code = k.code and t.sponsor = k.sponsor and t.unit = k.unit and t.contract is not distinct from k.contract
  and t.counterparty is not distinct from k.counterparty and t.counter_contract is not distinct from k.counter
group by k.line
"""
PARTITIONS = """
select t.name, c.part, c.end_offset, coalesce(p.next_offset, 0), coalesce(sum(y.events), 0)::bigint,
  coalesce(sum(y.events) filter (where y.outcome = 'accepted'), 0)::bigint, coalesce(sum(y.events) filter (where y.outcome = 'rejected'), 0)::bigint,
  coalesce(sum(y.events) filter (where y.outcome = 'held'), 0)::bigint, coalesce(sum(y.events) filter (where y.outcome = 'duplicate'), 0)::bigint
from cut c join topic t on t.no = c.topic left join progress p on p.topic = c.topic and p.part = c.part
left join tally y on y.day = c.day and y.topic = c.topic and y.part = c.part and y.outcome <> 'lapsed'
where c.day = %s group by t.name, c.part, c.end_offset, p.next_offset order by t.name, c.part
"""
FEES_BEFORE = """
select party, currency, sum(amount)::bigint from (
  select case when creditor = %(operator)s then debtor else creditor end party, currency, case when creditor = %(operator)s then amount else -amount end amount
  from obligation where day >= %(first)s and day < %(day)s and kind = 'fee' and detail <> 'monthly_minimum'
) fees group by party, currency
"""
CARRIED_ON = "select currency, party, amount, since from carried where day = %s"
CARRIED_IN = "select currency, party, amount, since from carried where day = (select max(day) from settlement_window where day < %s)"

# --- keeping a run -------------------------------------------------------------------------------------------------------------------------

PREVIOUS_RUN = "select sha256 from run where day < %s order by day desc, no desc limit 1"
KEEP_LINE = """
insert into obligation (day, line, kind, detail, debtor, creditor, currency, quantity, unit_price, amount, events, contract, sources)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
KEEP_CARRIED = "insert into carried (day, currency, party, amount, since) values (%s, %s, %s, %s, %s)"
# A further run of the window takes the place of the one before it.
KEEP_RUN = """
insert into run (day, sha256, previous, report, reception, replaces) values (%(day)s, %(sha256)s, %(previous)s, %(report)s, %(reception)s,
  (select max(no) from run where day = %(day)s)) returning no
"""
# What a window rests on: the window before it and its newest run. Locked, so that it is not rejected while the window that rests on it is netted.
RESTS_ON = """
select w.state, (select max(no) from run where run.day = w.day) from settlement_window w where w.day < %s order by w.day desc limit 1 for share of w
"""
# Points that wait, by sponsor: as they lie in lots, since returns take them from there.
WAIT = """
select p.id, sum(l.points)::bigint from lot l join party p on p.no = l.sponsor where l.live and l.release_on > '0001-01-01' and l.release_on >= '5000-01-01'
group by p.id
"""
