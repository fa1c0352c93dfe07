"""The same of what follows from events about members, from the steps of the night, and from what statements show of payments."""

# --- cards: whose each is, and whether it is blocked, by the events that gave, replaced and blocked it ----------------------------------------
# A card stays its first owner's. Who was enrolled by no event (members of a scenario) has cards that no event gave; of who is erased the events say no more
# which cards they were about.
CARDS = """
select coalesce(m.id, 'member number ' || k.member) member, 'card' place,
  'of ' || coalesce((select string_agg(coalesce(o.id, '?'), ', ' order by o.no) from member o where o.no = any(k.owners)), 'nobody by any event')
    || case when k.blocks then ', blocked' else '' end expected,
  'of ' || coalesce(m.id, 'nobody') || case when k.blocked then ', blocked' else '' end found,
  case when k.owners is null then k.enrolled else k.owners <> array[k.member] end or (k.blocks and not k.blocked) off
from (
  with told as materialized (
    select type, member owner, body::jsonb -> 'data' "data" from entry
    where outcome = 'accepted' and type in ('member-enrolled.v1', 'card-linked.v1', 'card-blocked.v1')
  ), said as (
    select "data" ->> 'card' card, owner, type = 'card-linked.v1' gives, type = 'card-blocked.v1' blocks from told where type <> 'member-enrolled.v1'
    union all select "data" ->> 'replaces', owner, false, true from told where type = 'card-linked.v1' and "data" ? 'replaces'
    union all select one, owner, true, false from told cross join lateral jsonb_array_elements_text("data" -> 'cards') one where type = 'member-enrolled.v1'
  )
  select c.card, c.member, c.blocked, array_agg(distinct g.owner) filter (where g.gives) owners, coalesce(bool_or(g.blocks), false) blocks,
    c.member in (select owner from told where type = 'member-enrolled.v1') enrolled
  from card c left join said g on g.card = c.card where c.member is not null group by c.card, c.member, c.blocked
) k left join member m on m.no = k.member
where not exists (select from erasure x where x.member = k.member)
"""

# --- rows of the night's own: what each step writes, in the window that it is of; of points that are funded as many had waited ------------------
# Its entries are numbered by window and step: services/night/books.py. 3 frees holds, 4 releases and 12 repays from it, 6 expires and 14 takes unfunded
# points back, 7 funds, which may repay as well.
NIGHT_ROWS = """
select m.id member, concat_ws(', ', 'entry ' || t.entry, 'line ' || t.line, 'window ' || t.day) place,
  'a code of its step, in the window of its night' expected,
  'code ' || t.code || ', step ' || n.step found, n.day <> t.day or not case n.step when 3 then t.code in (4, 10) when 4 then t.code = 2
    when 12 then t.code = 4 when 6 then t.code = 8 when 14 then t.code = 13 when 7 then t.code in (1, 2, 4, 13) else false end off
from transfer t cross join lateral (
  select mod(-t.entry, 16)::int step, date '0001-01-01' + ((-t.entry / 16)::int - 1) "day"
) n left join member m on m.no = t.member where t.entry < 0 and t.entry > %(first_entry)s
union all
select m.id, concat_ws(', ', 'window ' || f.day, 'sponsor ' || p.id), f.waited::text || ' that had waited', f.given || ' funded', f.given <> f.waited
from (
  select day, member, sponsor, contract, coalesce(sum(amount) filter (where code = 1), 0) given, coalesce(sum(amount) filter (where code = 13), 0) waited
  from transfer where entry < 0 and entry > %(first_entry)s and mod(-entry, 16) = 7 and code in (1, 13) group by day, member, sponsor, contract
) f left join member m on m.no = f.member left join party p on p.no = f.sponsor
"""

# --- payments put right: all that was booked of each is what statements show beyond its amount, or beyond what counted as paid when its run defaulted ---
PUT_RIGHT = """
select null member, 'payment ' || k.payment || ', run ' || k.run place, s.shown - coalesce(b.confirmed, p.amount) || ' ' || p.currency expected,
  k.put_right || ' ' || p.currency found, k.put_right <> s.shown - coalesce(b.confirmed, p.amount) off
from (select run, payment, sum(amount) put_right from payment_correction group by run, payment) k join payment p on (p.run, p.id) = (k.run, k.payment)
left join payment_baseline b on (b.run, b.payment) = (k.run, k.payment)
cross join lateral (
  select coalesce(sum(m.amount), 0)::bigint shown from entry_payment m join statement_counts c on c.report = m.report
  where (m.run, m.payment) = (k.run, k.payment)
) s
"""
