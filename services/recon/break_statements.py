"""The set-based statements that open breaks for what differs or is left, and resolve those whose cause is gone."""

# ruff: noqa: S608  # statements are put together from fragments above them; what comes from outside is always a parameter

from __future__ import annotations

from clearing.matching import REFUSED_AS, BreakCode
from services.recon.differences import DIFFERENCE

_INSERT = "insert into recon_break (bank, day, code, ours, theirs, programme_units, bank_units, unit, first_seen, state)"
DIFFERENT = f"""
{_INSERT}
select %(bank)s, day, code, ours, theirs, units, bank_units, unit, %(seen)s, 'open' from (
  select o.day, {DIFFERENCE} code, p.ours, p.theirs, o.units, t.units bank_units, coalesce(nullif(o.unit, ''), t.unit) unit, o.content, t.content its
  from pair p join ours o on o.no = p.ours join theirs t on t.no = p.theirs
) d where code is not null order by code, content, its
on conflict do nothing
"""
# Rows that are left and say the same, but for their id, as a row that is matched.
LIKE = (
    """
create temporary table like_theirs on commit drop as
select distinct t.no from theirs_left t join bank_line e
  on (e.arn, e.card_ref, e.event_type, e.reward_units, e.billing_minor) = (t.arn, t.card, t.typ, t.units, t.minor)
where e.bank = %(bank)s and coalesce(e.reward_kind, '') = t.kind and coalesce(e.rule_id, '') = t.rule
  and exists (select 1 from recon_match m where m.theirs = e.no)
""",
    """
create temporary table like_ours on commit drop as
select distinct o.no from ours_left o join recon_expected e
  on (e.arn, e.card_ref, e.event_type, e.reward_units, e.billing_minor) = (o.arn, o.card, o.typ, o.units, o.minor)
where e.bank = %(bank)s and coalesce(e.reward_kind, '') = o.kind and coalesce(e.rule_id, '') = o.rule
  and exists (select 1 from recon_match m where m.ours = e.no)
""",
)
_DECIDED = "exists (select 1 from recon_break b where b.{0} = {1}.no and (b.state = 'written off' or (b.state = 'resolved' and b.proposal is not null)))"
_CODES = ", ".join(f"('{code}', '{name}')" for code, name in REFUSED_AS.items())
# Of a line of the bank's that is left: what the house answered to its event, and whether a matched line has its key or is its like.
THEIRS_BREAK = f"""
{_INSERT}
select %(bank)s, day, code, null, no, 0, units, unit, %(seen)s, 'open' from (
  select t.no, t.day, t.units, t.unit, t.content, case
    when t.no in (select no from ambiguous_theirs) then '{BreakCode.AMBIGUOUS}'
    when exists (select 1 from bank_line e join recon_match m on m.theirs = e.no where e.bank = %(bank)s and e.bank_txn_id = t.txn and e.event_type = t.typ
      and coalesce(e.reward_kind, '') = t.kind and coalesce(e.rule_id, '') = t.rule) then '{BreakCode.KEY_REUSED}'
    when t.no in (select no from like_theirs) then '{BreakCode.DUPLICATE_BANK}'
    when refused.code is not null then refused.code
    when t.typ in ('REFUND', 'CHARGEBACK') and (select sum(abs(e.reward_units)) from bank_line e where e.bank = %(bank)s and e.original_bank_txn_id = t.orig
      and e.event_type in ('REFUND', 'CHARGEBACK') and coalesce(e.reward_kind, '') = t.kind and e.day <= %(day)s)
      > (select sum(e.reward_units) from bank_line e where e.bank = %(bank)s and e.bank_txn_id = t.orig and e.event_type = 'EARN'
      and coalesce(e.reward_kind, '') = t.kind) then '{BreakCode.OVER_REVERSED}'
    when t.orig <> '' and not exists (select 1 from recon_expected e where e.bank = %(bank)s and e.bank_txn_id = t.orig and e.event_type = 'EARN')
      then '{BreakCode.REVERSED_UNMATCHED}'
    else '{BreakCode.MISSING_AT_PROGRAMME}'
  end code
  from theirs_left t
  left join lateral (
    select c.name code from source s join identity i on i.source = s.no and i.id in (t.txn || ':' || t.typ, t.txn)
    join entry e on e.record = i.record and e.day = i.day and e.outcome = 'rejected' join (values {_CODES}) c (code, name) on c.code = e.code
    where s.uri = '/banks/' || %(bank)s order by i.id desc limit 1
  ) refused on true
  where not {_DECIDED.format("theirs", "t")}
) b order by code, content, no
on conflict (code, ours, theirs) do update set state = 'open' where recon_break.state = 'resolved' and recon_break.proposal is null
"""
# Of a row of ours that is left. Where nothing was given, nothing has to be reported.
OURS_BREAK = f"""
{_INSERT}
select %(bank)s, day, code, no, null, units, 0, unit, %(seen)s, 'open' from (
  select o.no, o.day, o.units, o.unit, o.content, case
    when o.no in (select no from ambiguous_ours) then '{BreakCode.AMBIGUOUS}'
    when o.no in (select no from like_ours) then '{BreakCode.DUPLICATE_PROGRAMME}'
    else '{BreakCode.MISSING_AT_BANK}'
  end code
  from ours_left o where o.kind <> '' and not {_DECIDED.format("ours", "o")}
) b order by code, content, no
on conflict (code, ours, theirs) do update set state = 'open' where recon_break.state = 'resolved' and recon_break.proposal is null
"""
# Breaks of one row whose cause is gone: the row is matched now, or breaks under another code since this run.
GONE = """
with gone as (
  select b.no, b.state, case when m.pass is null then 'breaks as ' || n.code || ' now' else 'matched by pass ' || m.pass || ', late' end note
  from recon_break b
  left join lateral (select pass from recon_match where ours = b.ours union all select pass from recon_match where theirs = b.theirs limit 1) m on true
  left join lateral (
    select code from recon_break n where n.ours = b.ours and n.theirs is null and n.no > b.no
    union all select code from recon_break n where n.theirs = b.theirs and n.ours is null and n.no > b.no order by code limit 1
  ) n on true
  where b.bank = %(bank)s and b.state not in ('resolved', 'written off') and (b.ours is null or b.theirs is null) and coalesce(m.pass::text, n.code) is not null
    and not exists (select 1 from recon_booking k join recon_signature s on s.no = k.signature where s.break = b.no)
), told as (
  insert into recon_turn (break, no, at, who, from_state, to_state, note)
  select g.no, coalesce((select max(no) from recon_turn t where t.break = g.no), 0) + 1, %(now)s, 'matching', g.state, 'resolved', g.note
  from gone g returning break
)
update recon_break b set state = 'resolved', proposal = null, proposed_by = null, counterpart = null from told where b.no = told.break
"""
# Breaks that had gone and are there again.
AGAIN = """
insert into recon_turn (break, no, at, who, from_state, to_state, note)
select b.no, t.no + 1, %(now)s, 'matching', 'resolved', 'open', 'it is there again' from recon_break b
join lateral (select no, to_state from recon_turn t where t.break = b.no order by no desc limit 1) t on t.to_state = 'resolved'
where b.bank = %(bank)s and b.state = 'open'
"""
# Breaks whose decision was booked, and whose row has found its partner after all: what was booked has to be taken back, which two people decide.
LATE_AFTER_ALL = """
with late as (
  select b.no, b.state, m.pass from recon_break b
  join lateral (select pass from recon_match where ours = b.ours union all select pass from recon_match where theirs = b.theirs limit 1) m on m.pass > 0
  where b.bank = %(bank)s and b.state in ('resolved', 'written off') and b.decided_by is not null and (b.ours is null or b.theirs is null)
    and (
      select coalesce(sum(case when k.debtor < k.creditor then k.amount else -k.amount end), 0) from recon_booking k
      join recon_signature s on s.no = k.signature where s.break = b.no
    ) <> 0
), told as (
  insert into recon_turn (break, no, at, who, from_state, to_state, note)
  select l.no, (select coalesce(max(no), 0) + 1 from recon_turn t where t.break = l.no), %(now)s, 'matching', l.state, 'open',
    'matched by pass ' || l.pass || ' after it was booked: take that back' from late l returning break
)
update recon_break b set state = 'open', proposal = null, proposed_by = null, decided_by = null, counterpart = null from told where b.no = told.break
"""
