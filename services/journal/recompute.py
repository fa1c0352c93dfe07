"""What `verify` compares: for each kind of figure one statement that gives member, place, expected (from the journal) and found (in the books).

Expected and found stand in rows of one union and are added up by their key, so that what is missing on either side shows as well.
"""

from services.journal.recompute_events import CARDS, NIGHT_ROWS, PUT_RIGHT
from services.journal.sides import CREDIT_FOLLOWS, DEBIT_FOLLOWS, UNIT_FOLLOWS

# --- lots: each transfer in points adds to the lot it credits and takes from the lot it debits ---------------------------------------------

_LOT_MOVES = """
select t.member, t.sponsor, t.contract, t.expiry, t.earned, case when t.credit & 3 = 1 then t.release_on else '0001-01-01' end release_on,
  t.amount expected, 0 found
from transfer t where t.unit = %(points)s and t.credit >= 0 and t.credit & 3 < 2
union all
select t.member, t.sponsor, t.contract, t.expiry, t.earned, case when t.debit & 3 = 1 then t.release_on else '0001-01-01' end, -t.amount, 0
from transfer t where t.unit = %(points)s and t.debit >= 0 and t.debit & 3 < 2
"""
_LOT_PLACE = """
concat_ws(', ', 'sponsor ' || p.id, 'contract ' || coalesce(c.valid_from::text, '?'), 'earned ' || coalesce(l.earned::text, '?'),
  'expiry ' || coalesce(l.expiry::text, '?'), case when l.release_on > '0001-01-01' then 'pending until ' || l.release_on end)
"""
LOTS = f"""
select m.id member, {_LOT_PLACE} place, l.expected::text, l.found::text, l.expected <> l.found off from (
  select member, sponsor, contract, expiry, earned, release_on, sum(expected) expected, sum(found) found from (
    {_LOT_MOVES}
    union all select member, sponsor, contract, expiry, earned, release_on, 0, points from lot
  ) moves group by member, sponsor, contract, expiry, earned, release_on
) l left join member m on m.no = l.member left join party p on p.no = l.sponsor left join contract c on c.no = l.contract
"""  # noqa: S608  # parts of statements from this file
# A return forgets expired points without a row in the journal, so a lot has at most what expired in it. `live` only repeats its points.
LOTS_EXPIRED = f"""
select m.id member, {_LOT_PLACE} place, 'at most ' || l.expected expected, l.found::text, l.found > l.expected or l.found < 0 off from (
  select member, sponsor, contract, expiry, earned, release_on, sum(expected) expected, sum(found) found from (
    select member, sponsor, contract, expiry, earned, release_on, amount expected, 0 found from transfer where code in (8, 13)
    union all select member, sponsor, contract, expiry, earned, release_on, 0, expired from lot where expired <> 0
  ) moves group by member, sponsor, contract, expiry, earned, release_on
) l left join member m on m.no = l.member left join party p on p.no = l.sponsor left join contract c on c.no = l.contract
"""  # noqa: S608  # as above
LOTS_LIVE = f"""
select m.id member, {_LOT_PLACE} place, case when l.points > 0 then 'live' else 'not live' end expected, case when l.live then 'live' else 'not live' end found,
  l.live <> (l.points > 0) off
from lot l left join member m on m.no = l.member left join party p on p.no = l.sponsor left join contract c on c.no = l.contract
"""  # noqa: S608  # as above

# --- balances: what was credited to the member's account less what was debited; a debt the other way round --------------------------------

BALANCES = """
select coalesce(m.id, 'member number ' || s.no) member, a.place, a.expected::text, a.found::text, a.expected <> a.found off from (
  select no, sum(available) available, sum(pending) pending, sum(held) held, sum(owed) owed,
    sum(has_available) has_available, sum(has_pending) has_pending, sum(has_held) has_held, sum(has_owed) has_owed
  from (
    select credit >> 2 no, sum(amount) filter (where credit & 3 = 0) available, sum(amount) filter (where credit & 3 = 1) pending,
      sum(amount) filter (where credit & 3 = 2) held, -sum(amount) filter (where credit & 3 = 3) owed, 0 has_available, 0 has_pending, 0 has_held, 0 has_owed
    from transfer where unit = %(points)s and credit >= 0 group by 1
    union all
    select debit >> 2, -sum(amount) filter (where debit & 3 = 0), -sum(amount) filter (where debit & 3 = 1),
      -sum(amount) filter (where debit & 3 = 2), sum(amount) filter (where debit & 3 = 3), 0, 0, 0, 0
    from transfer where unit = %(points)s and debit >= 0 group by 1
    union all
    select no, 0, 0, 0, 0, available, pending, held, owed from member
  ) sides group by no
) s left join member m on m.no = s.no cross join lateral (values
  ('available', coalesce(s.available, 0), s.has_available), ('pending', coalesce(s.pending, 0), s.has_pending),
  ('held', coalesce(s.held, 0), s.has_held), ('owed', coalesce(s.owed, 0), s.has_owed)
) a (place, expected, found)
"""
DEBTS = """
select coalesce(m.id, 'member number ' || d.member) member, 'owed for ' || d.bearer place, d.expected::text, d.found::text, d.expected <> d.found off from (
  select member, bearer, sum(expected) expected, sum(found) found from (
    select t.member, p.id bearer, case when t.code = 6 then t.amount else -t.amount end expected, 0 found
    from transfer t join party p on p.no = t.counterparty where t.code = 4 or (t.code = 6 and t.debit >= 0)
    union all
    select m.no, debt ->> 0, 0, (debt ->> 1)::bigint from member m, jsonb_array_elements(m.state::jsonb -> 'debts') debt where m.state <> '{}'
  ) debts group by member, bearer
) d left join member m on m.no = d.member
"""
HOLDS = """
select coalesce(m.id, 'member number ' || h.member) member, 'open holds' place, h.expected::text, h.found::text, h.expected <> h.found off from (
  select member, sum(expected) expected, sum(found) found from (
    select o.member, (part ->> 4)::bigint expected, 0 found
    from original o, jsonb_array_elements(o.state::jsonb -> 'lots') part where o.expires_at is not null
    union all select no, 0, held from member where held <> 0
  ) held group by member
) h left join member m on m.no = h.member
"""

# --- unfunded points: what waits for room under a limit, by the member's state, its lots and the queue of the night -----------------------

UNFUNDED = """
select m.id member, 'points that wait to be funded' place, u.lots::text expected, concat_ws(', ', u.state, u.queue) found,
  u.lots <> u.state or u.queue < u.lots off
from (
  select member, sum(lots) lots, sum(state) state, sum(queue) queue from (
    select member, points lots, 0 state, 0 queue from lot where live and release_on >= '5000-01-01'
    union all select no, 0, (state::jsonb ->> 'unfunded')::bigint, 0 from member where state <> '{}' and state::jsonb ? 'unfunded'
    union all select member, 0, 0, points from unfunded
  ) parts group by member
) u left join member m on m.no = u.member
"""

# --- stamps: what was given less what was taken back; a card that lapses may have fewer ----------------------------------------------------

STAMPS_ON_CARDS = """
select coalesce(m.id, 'member number ' || s.member) member, 'stamps of ' || s.mechanic place,
  case when s.lapses then '0 to ' || s.given else s.expected::text end expected, s.found::text,
  case when s.lapses then s.found < 0 or s.found > s.given else s.expected <> s.found end off
from (
  select member, mechanic, mechanic = any(%(lapsing)s) lapses, sum(expected) expected, sum(found) found, sum(greatest(expected, 0)) given from (
    select t.member, y.id mechanic, case when t.code = 51 then t.amount else -t.amount end expected, 0 found
    from transfer t left join mechanic y on y.no = t.mechanic where t.unit = %(stamps)s
    union all
    select m.no, memory.key, 0, (memory.value ->> 'stamps')::bigint
    from member m, jsonb_each(m.state::jsonb -> 'memory') memory where m.state <> '{}' and memory.value ? 'stamps'
  ) stamps group by member, mechanic
) s left join member m on m.no = s.member
"""

# --- cash-back and savings: what a member got from a mechanic so far, by currency --------------------------------------------------------

GOT = """
select coalesce(m.id, 'member number ' || g.member) member, g.mechanic || ' in ' || g.unit place, g.expected::text, g.found::text, g.expected <> g.found off
from (
  select member, mechanic, unit, sum(expected) expected, sum(found) found from (
    select t.member, y.id mechanic, u.id unit, case when t.code = 26 then -t.amount else t.amount end expected, 0 found
    from transfer t left join mechanic y on y.no = t.mechanic left join unit u on u.no = t.unit where t.code in (25, 26, 53)
    union all
    select m.no, memory.key, kept.key, 0, kept.value::bigint
    from member m, jsonb_each(m.state::jsonb -> 'memory') memory, jsonb_each_text(memory.value) kept join unit u on u.id = kept.key
    where m.state <> '{}' and u.no not in (%(points)s, %(stamps)s, %(purchases)s)
  ) got group by member, mechanic, unit
) g left join member m on m.no = g.member
"""

# --- visits left on passes, ended ones too: what the answers to sales, visits and their cancellations say came and went ---------------------

VISITS_LEFT = """
select coalesce(m.id, 'member number ' || v.member) member, 'visits of ' || v.mechanic place, v.expected::text, v.found::text, v.expected <> v.found off
from (
  select member, mechanic, sum(expected) expected, sum(found) found from (
    select e.member, effect ->> 'mechanic' mechanic, (effect ->> 'count')::bigint expected, 0 found
    from (select member, answer from entry where outcome = 'accepted' and type in ('pass-sold.v1', 'pass-visit.v1')) e
    cross join lateral jsonb_array_elements(e.answer::jsonb -> 'effects') effect where effect ? 'count'
    union all
    select m.no, memory.key, 0, kept.value::bigint
    from member m, jsonb_each(m.state::jsonb -> 'memory') memory, jsonb_each_text(memory.value) kept
    where m.state <> '{}' and memory.key = any(%(passes)s)
  ) visits group by member, mechanic
) v left join member m on m.no = v.member
"""

# --- use of limits: what purchases still have from a mechanic, units or times, by limit and period; room that waits for the night counts as back --

# What a return leaves of a purchase stands with its original; a purchase that was never returned has what it was given. What the reversal of a chargeback
# gives again stands with the original too, so its rows are left out; a match has limits of its own beside those of its round-up. A visit is ruled by the
# version of the day on which its pass was sold (`ruled_on`). Of what a sponsor gives in one event a part may wait to be funded: two rows, one gift.
_GIVEN = """
select member, entry, mechanic, event_day, ruled_on, matched, sum(value) value from (
select t.member, t.entry, y.id mechanic, e.event_day, coalesce(split_part(o.state::jsonb ->> 'pass', '/', 2)::date, e.event_day) ruled_on,
  t.code = 27 matched, coalesce(max(left_.value), sum(t.amount)) value
from transfer t join mechanic y on y.no = t.mechanic join party p on p.no = t.sponsor join entry e on e.record = t.entry
left join original o on o.record = t.entry and o.kind in ('sale', 'cardspend')
left join lateral (
  select (part ->> 2)::bigint value from jsonb_array_elements(o.state::jsonb -> 'given') part
  where part ->> 0 = y.id and part ->> 1 is not distinct from case when t.code in (51, 53) then null else p.id end limit 1
) left_ on true
where t.entry > 0 and t.code = any(%(given)s) and y.id = any(%(limited)s)
  and (e.type <> 'card-transaction.v1' or e.body::jsonb -> 'data' ->> 'kind' = 'clearing')
group by t.member, t.entry, y.id, e.event_day, ruled_on, t.code = 27, t.sponsor
) of_sponsor group by member, entry, mechanic, event_day, ruled_on, matched
"""
_LIMITS = """
unnest(%(limited)s::text[], %(prefixes)s::text[], %(pers)s::text[], %(measures)s::text[], %(ofs)s::text[], %(matches)s::boolean[], %(froms)s::date[],
  %(tos)s::date[]) k (mechanic, prefix, per, measure, whose, matched, valid_from, valid_to)
"""
LIMITS = f"""
select m.id member, 'limit ' || u.name || case when u.member is null then ' of the programme' else '' end place, u.expected::text, u.found::text,
  u.expected <> u.found off
from (
  select member, name, sum(expected) expected, sum(found) found from (
    select case when k.whose = 'member' then g.member end member,
      k.prefix || case k.per when 'day' then g.event_day::text when 'month' then left(g.event_day::text, 7)
        when 'year' then left(g.event_day::text, 4) else '' end name,
      case when k.measure = 'times' then (g.value > 0)::int else g.value end expected, 0 found
    from ({_GIVEN}) g join {_LIMITS}
      on k.mechanic = g.mechanic and k.matched = g.matched and g.ruled_on between k.valid_from and k.valid_to and k.per <> 'event'
    union all
    select m.no, used.key, 0, used.value::bigint from member m, jsonb_each_text(m.state::jsonb -> 'used') used
    where m.state <> '{{}}' and exists (select 1 from {_LIMITS} where k.whose = 'member' and starts_with(used.key, k.prefix))
    union all
    select null, name, 0, used from shared_use where exists (select 1 from {_LIMITS} where k.whose = 'programme' and starts_with(name, k.prefix))
    union all
    select case when k.whose = 'member' then e.member end, room.change ->> 0, 0, (room.change ->> 1)::bigint
    from deferred d join entry e on e.record = d.record
    cross join lateral (
      select 'programme' whose, change from jsonb_array_elements(d.room -> 'of_all') change
      union all select 'member', change from jsonb_array_elements(d.room -> 'of_member') change
    ) room
    join (select distinct whose, prefix from {_LIMITS}) k on k.whose = room.whose and starts_with(room.change ->> 0, k.prefix)
    where d.room is not null
  ) uses group by member, name
) u left join member m on m.no = u.member
"""  # noqa: S608  # parts of statements from this file

# --- rows of the journal -------------------------------------------------------------------------------------------------------------------

_ROW = "concat_ws(', ', 'entry ' || t.entry, 'line ' || t.line, 'window ' || t.day, 'code ' || t.code)"
ACCOUNTS = f"""
select m.id member, {_ROW} place, 'accounts and unit of its code' expected,
  concat_ws(', ', 'debit ' || t.debit, 'credit ' || t.credit, u.id) found,
  not ({DEBIT_FOLLOWS} and {CREDIT_FOLLOWS} and {UNIT_FOLLOWS}) off
from transfer t left join member m on m.no = t.member left join unit u on u.no = t.unit
"""  # noqa: S608  # as above
# The night's own entries have numbers below zero.
ENTRIES = f"""
select m.id member, {_ROW} place, 'an accepted entry of the member in this window' expected,
  coalesce(e.outcome || ', window ' || coalesce(e.booked::text, 'none') || ', member number ' || coalesce(e.member::text, 'none'), 'no entry') found,
  e.record is null or e.outcome <> 'accepted' or e.booked is distinct from t.day or e.member is distinct from t.member off
from transfer t left join entry e on e.record = t.entry left join member m on m.no = t.member where t.entry > 0
"""  # noqa: S608  # as above

# --- corrections: each belongs to what statements showed of a payment, a decision about a break, a turn of a dispute, or a default -----------

# What statements showed of a payment beyond its amount, or short of it: between whoever has the money and whom it belongs to. Who bore a loss has a share.
_OF_PAYMENT = """
select from payment_correction k join payment p on (p.run, p.id) = (k.run, k.payment)
left join payment_baseline b on (b.run, b.payment) = (k.run, k.payment)
cross join lateral (select case p.kind when 'incoming' then p.payee else p.payer end house, case p.kind when 'incoming' then p.payer else p.payee end own) s
where k.correction = c.no and c.code = 33 and (c.amount, c.currency) = (abs(k.amount), p.currency)
  and case when (k.amount > 0) = (p.kind = 'incoming') then c.debtor = s.house and (c.creditor = s.own or b.run is not null)
    else c.creditor = s.house and (c.debtor = s.own or b.run is not null) end
"""
# Two people who have signed one thing: another person, with another key, had proposed it.
_BY_TWO = "p.no = s.proposal and p.action = 'propose' and p.key <> s.key and lower(p.person) <> lower(s.person)"
# A decision about a break books the charges that it says, each as the line that it is.
_OF_BREAK = f"""
select from recon_booking r join recon_signature s on s.no = r.signature join recon_signature p on {_BY_TWO} and p.break = s.break and p.decision = s.decision
where c.code = 33 and (r.reference, r.debtor, r.creditor, r.currency, r.amount) = (c.reference, c.debtor, c.creditor, c.currency, c.amount)
  and s.action = 'decide' and c.reference = 'recon ' || s.break || '/' || s.turn || '/' || r.line
  and s.document::jsonb -> 'charges' -> (r.line - 1) = jsonb_build_array(c.debtor, c.creditor, c.currency, c.amount)
"""  # as above
_OF_DISPUTE = """
select from dispute d join dispute_turn t on t.dispute = d.no
where c.code = 34 and c.reference = 'dispute ' || d.no || ' ' || case t.to_state
    when 'held' then 'hold' when 'upheld' then 'uphold' when 'released' then 'release' when 'lapsed' then 'lapse' end
  and (c.currency, c.amount) = (d.currency, d.amount) and d.debtor in (c.debtor, c.creditor) and d.creditor in (c.debtor, c.creditor)
"""
# A default books what its decision says, in the window that defaulted; one that was declared under a typed name says nothing more than its reference.
_OF_DEFAULT = f"""
select from window_move m
left join (decision_signature s join decision_signature p on {_BY_TWO}) on s.run = m.run and p.run = s.run and s.action = 'decide'
where c.code in (33, 35) and m.event = 'unpaid_at_deadline' and m.day = c.day
  and c.reference = 'default of ' || c.creditor || ' in ' || m.day || ', run ' || m.run || ', ' || c.currency || ', ' || c.debtor
  and (exists (select from by_name n where n.what = 'defaulted' and n.no = m.run)
    or s.document::jsonb -> 'borne' @> jsonb_build_array(jsonb_build_array(
      case c.code when 33 then 'adjustment' else 'default_loss' end, c.debtor, c.creditor, c.currency, c.amount)))
"""  # noqa: S608  # as above
ASTRAY = f"""
select c.no, c.day, c.code, c.reference, c.debtor, c.creditor, c.currency, c.amount from correction c
where not exists ({_OF_PAYMENT}) and not exists ({_OF_BREAK}) and not exists ({_OF_DISPUTE}) and not exists ({_OF_DEFAULT})
  and not exists (select from by_name n where n.what = 'corrected' and n.no = c.no)
"""  # noqa: S608  # as above
"""Corrections that belong to nothing: whoever can write to the tables can write one."""
_SAYS = "concat_ws(' ', c.debtor, 'owes', c.creditor, c.amount, c.currency)"
CORRECTIONS = f"""
select null member, 'correction ' || c.no || ', ' || c.reference || ', window ' || c.day place,
  'one row, of a payment, a break, a dispute or a default' expected,
  {_SAYS} || case when a.no is null then '' else ', of nothing' end || ', in ' || count(t.entry) || ' rows' found,
  a.no is not null or count(t.entry) <> 1 off
from correction c left join ({ASTRAY}) a on a.no = c.no left join party d on d.id = c.debtor left join party k on k.id = c.creditor
left join unit u on u.id = c.currency
left join transfer t on (t.day, t.entry, t.code, t.amount, t.unit, t.sponsor, t.counterparty)
  = (c.day, %(first_entry)s - c.no, c.code, c.amount, u.no, d.no, k.no)
group by c.no, c.reference, c.day, c.debtor, c.creditor, c.amount, c.currency, a.no
union all
select null, {_ROW}, 'a correction', 'none', true from transfer t
where t.code in (33, 34, 35) and not exists (select from correction c where (c.day, %(first_entry)s - c.no, c.code) = (t.day, t.entry, t.code))
"""  # noqa: S608  # as above

# --- totals: what booking wrote with each batch, and the rows added up; purchases are counted from their entries --------------------------

_TOTAL_KEY = "day, code, sponsor, contract, counterparty, counter_contract, unit"
TOTALS = f"""
select null member,
  concat_ws(', ', 'window ' || k.day, 'code ' || k.code, 'sponsor ' || p.id, 'contract ' || c.valid_from, 'counterparty ' || q.id, u.id) place,
  expected || ' in ' || expected_events || ' events' expected, found || ' in ' || found_events || ' events' found,
  (expected, expected_events) <> (found, found_events) off
from (
  select {_TOTAL_KEY}, sum(expected) expected, sum(expected_events) expected_events, sum(found) found, sum(found_events) found_events from (
    select {_TOTAL_KEY}, sum(amount) expected, count(*) filter (where first) expected_events, 0 found, 0 found_events
    from transfer where code not in (51, 52) group by {_TOTAL_KEY}
    union all
    select booked, 41, party, contract, null, null, %(purchases)s, count(*), count(*), 0, 0
    from entry where outcome = 'accepted' and type = 'purchase.v1' group by booked, party, contract
    union all
    select {_TOTAL_KEY}, 0, 0, sum(quantity), sum(events) from total group by {_TOTAL_KEY}
  ) paths group by {_TOTAL_KEY}
) k
left join party p on p.no = k.sponsor left join contract c on c.no = k.contract left join party q on q.no = k.counterparty left join unit u on u.no = k.unit
"""  # noqa: S608  # as above

COMPARED = {
    "lots": LOTS,
    "expired points of lots": LOTS_EXPIRED,
    "lots in the index": LOTS_LIVE,
    "balances": BALANCES,
    "debts": DEBTS,
    "holds": HOLDS,
    "unfunded points": UNFUNDED,
    "stamps": STAMPS_ON_CARDS,
    "cash-back and savings": GOT,
    "visits on passes": VISITS_LEFT,
    "use of limits": LIMITS,
    "accounts of rows": ACCOUNTS,
    "entries of rows": ENTRIES,
    "rows of the night": NIGHT_ROWS,
    "corrections": CORRECTIONS,
    "payments put right": PUT_RIGHT,
    "cards": CARDS,
    "totals of windows": TOTALS,
}
"""By the name of what is recomputed."""


def count(compared: str) -> str:
    """How many figures there are, and how many differ."""
    return f"select count(*), count(*) filter (where off) from ({compared}) compared"  # noqa: S608  # statements of this file


def named(compared: str) -> str:
    """The first figures that differ."""
    return f"select member, place, expected, found from ({compared}) compared where off order by member, place limit %(named_max)s"  # noqa: S608  # as above
