"""What the explanations ask the journal. Sums are made by the database, and events come in pages, however large the window is."""

# The pricing keys of a line, numbered from 0, as a table `k`.
KEYS = """
unnest(%(code)s::smallint[], %(sponsor)s::smallint[], %(contract)s::int[], %(counterparty)s::smallint[], %(counter_contract)s::int[], %(unit)s::smallint[])
  with ordinality k (code, sponsor, contract, counterparty, counter_contract, unit, no)
"""
UNDER_KEY = """
t.day = %(day)s and t.code = k.code and t.sponsor = k.sponsor and t.unit = k.unit and t.contract is not distinct from k.contract
  and t.counterparty is not distinct from k.counterparty and t.counter_contract is not distinct from k.counter_contract
"""
BOOKED = f"""
select k.no - 1, coalesce(sum(t.quantity), 0)::bigint from {KEYS} left join total t on {UNDER_KEY} group by k.no order by k.no
"""  # noqa: S608  # from above
# By key: what the journal's rows come to, how many events they belong to, and how many rows of the list below they make.
JOURNAL = f"""
select k.no - 1, coalesce(sum(t.amount), 0)::bigint, count(distinct t.entry) filter (where t.entry > 0),
  count(distinct (t.entry, case when t.entry < 0 then t.member end))
from {KEYS} left join transfer t on {UNDER_KEY} group by k.no order by k.no
"""  # noqa: S608  # from above
# A page of the events under one key; what the night itself booked has one entry for all members, so it is told apart by member.
EVENTS = f"""
select p.entry, p.quantity, e.id, e.source, e.type, e.received_at, coalesce(e.member, p.member) from (
  select t.entry, case when t.entry < 0 then t.member end member, sum(t.amount)::bigint quantity from {KEYS} join transfer t on {UNDER_KEY}
  group by 1, 2 order by t.entry < 0, t.entry, 2 limit %(limit)s offset %(offset)s
) p left join entry e on e.record = p.entry order by p.entry < 0, p.entry, p.member
"""  # noqa: S608  # from above
# Purchases have no row of their own in the journal: they are counted by their entries.
BOUGHT = """
from entry where outcome = 'accepted' and type = 'purchase.v1' and party = %(sponsor)s and contract is not distinct from %(contract)s
  and booked = %(day)s and (day = %(day)s or booked <> day)
"""
PURCHASES = f"select count(*) {BOUGHT}"  # from above
PURCHASE_EVENTS = f"""
select record, 1::bigint, id, source, type, received_at, member {BOUGHT} order by record limit %(limit)s offset %(offset)s
"""  # from above

MEMBER_IDS = "select no, id from member where no = any(%s)"

# --- one event ---------------------------------------------------------------------------------------------------------------------------

ENTRY = """
select record, day, booked, outcome, type, source, id, party, contract, member, card, event_day, received_at, code, detail, pointer, answer, body, raw, applied
from entry where record = %s
"""
# Of an accepted event: whether the night has still to decide it, and whether its member had left before it came.
STANDING = """
select exists (select from deferred d where d.record = e.record), exists (
  select from entry c where c.member = e.member and c.type = 'member-closed.v1' and c.outcome = 'accepted'
    and (c.received_at, c.record) < (e.received_at, e.record)
) from entry e where e.record = %s
"""
# Who was erased and is named in an entry by the number that stands for the person, or whose entry it is.
ERASED = """
select member from erasure where member = %(member)s or %(text)s like '%%"erased-' || member || '"%%' order by member
"""
# Who owns an id: asked by sender, since ids are indexed under their senders.
OWNERS = "select i.record, s.uri from source s join identity i on i.source = s.no and i.id = %s where %s::text is null or s.uri = %s order by i.record"
TRANSFERS = """
select line, day, code, amount, unit, debit, credit, member, sponsor, contract, counterparty, counter_contract, mechanic, expiry, earned, release_on
from transfer where entry = %s order by line
"""
ATTEMPTS = "select no, at, by_whom, day, code, outcome, refused from attempt where record = %s order by no"
# The lines of a window that rest on each of some keys.
LINES_OF_KEYS = """
select k.no - 1, o.line from unnest(%(keys)s::jsonb[]) with ordinality k (key, no)
join obligation o on o.day = %(day)s and exists (select from jsonb_array_elements(o.sources) s where s = k.key) order by 1, 2
"""

# --- one member --------------------------------------------------------------------------------------------------------------------------

MEMBER = "select no, id, kind, closed, available, pending, held, owed, last_activity from member where id = %s"
CARDS = "select card, blocked from card where member = %s order by card"
LOTS = """
select sponsor, contract, expiry, earned, release_on, points from lot where member = %s and points > 0
order by release_on > '0001-01-01', expiry, earned, sponsor
"""
# Cash-back (less what was taken back) and savings by mechanic and currency, from the rows of the member's entries; and what the books keep of them.
GOT = """
select coalesce(j.mechanic, k.mechanic), coalesce(j.currency, k.currency), coalesce(j.minor, 0)::bigint, coalesce(k.minor, 0)::bigint, coalesce(j.events, 0)
from (
  select y.id mechanic, u.id currency, sum(case when t.code = 26 then -t.amount else t.amount end) minor, count(distinct t.entry) events
  from entry e join transfer t on t.entry = e.record join mechanic y on y.no = t.mechanic join unit u on u.no = t.unit
  where e.member = %(member)s and t.code in (25, 26, 53) group by y.id, u.id
) j full join (
  select memory.key mechanic, u.id currency, kept.value::bigint minor
  from member m, jsonb_each(m.state::jsonb -> 'memory') memory, jsonb_each_text(memory.value) kept join unit u on u.id = kept.key
  where m.no = %(member)s and m.state <> '{}' and u.no <> all(%(counts)s)
) k on k.mechanic = j.mechanic and k.currency = j.currency
order by 1, 2
"""
# What each entry, and each night, moved on a member's four accounts of points, in the order in which it was received.
CHANGES = """
select t.entry, t.day, e.id, e.source, e.type,
  sum(case when t.credit = %(member)s::bigint * 4 then t.amount when t.debit = %(member)s::bigint * 4 then -t.amount else 0 end)::bigint available,
  sum(case when t.credit = %(member)s::bigint * 4 + 1 then t.amount when t.debit = %(member)s::bigint * 4 + 1 then -t.amount else 0 end)::bigint pending,
  sum(case when t.credit = %(member)s::bigint * 4 + 2 then t.amount when t.debit = %(member)s::bigint * 4 + 2 then -t.amount else 0 end)::bigint held,
  sum(case when t.debit = %(member)s::bigint * 4 + 3 then t.amount when t.credit = %(member)s::bigint * 4 + 3 then -t.amount else 0 end)::bigint owed,
  row_number() over (order by t.day, t.entry < 0, max(e.received_at), abs(t.entry)) place
from (
  select t.* from entry e join transfer t on t.entry = e.record where e.member = %(member)s and t.member = %(member)s and t.unit = %(points)s
  union all
  select t.* from transfer t where t.member = %(member)s and t.entry < 0 and t.unit = %(points)s
) t left join entry e on e.record = t.entry group by t.entry, t.day, e.id, e.source, e.type
"""
HISTORY = f"""
select entry, day, id, source, type, available, pending, held, owed,
  (sum(available) over so_far)::bigint, (sum(pending) over so_far)::bigint, (sum(held) over so_far)::bigint, (sum(owed) over so_far)::bigint
from ({CHANGES}) c window so_far as (order by place) order by place limit %(limit)s offset %(offset)s
"""  # noqa: S608  # from above
MOVED = f"""
select count(*), coalesce(sum(available), 0)::bigint, coalesce(sum(pending), 0)::bigint, coalesce(sum(held), 0)::bigint, coalesce(sum(owed), 0)::bigint
from ({CHANGES}) c
"""  # noqa: S608  # from above
