"""The set-based statements of matching. Rows never leave the database; ties are broken by what rows say, so their order changes nothing."""

# ruff: noqa: S608  # statements are put together from fragments above them; what comes from outside is always a parameter

from __future__ import annotations

from clearing.matching import REFUSED_AS, WINDOW_DAYS, BreakCode, Pass

# --- what there is to match ------------------------------------------------------------------------------------------------------------

_COLUMNS = """
  bank_txn_id txn, event_type typ, coalesce(original_bank_txn_id, '') orig, card_ref card, rrn, auth_code auth, arn, mcc, acceptor_id acceptor,
  transacted_at::timestamptz at, billing_minor minor, billing_ccy ccy, coalesce(rule_id, '') rule, rule_version version, coalesce(cap_cut_units, 0) cut,
  coalesce(reward_kind, '') kind, reward_units units, coalesce(reward_ccy, '') unit, bank_funded bf, merchant_funded mf, network_funded nf,
  settlement_ref ref, case when event_type in ('REFUND', 'CHARGEBACK') then -1 else 1 end sign,
  case when event_type in ('EARN', 'REFUND', 'CHARGEBACK', 'CHARGEBACK_REVERSAL') then '' else event_type end grp
"""
_CONTENT = """row({0}.bank_txn_id, {0}.event_type, {0}.original_bank_txn_id, {0}.card_ref, {0}.rrn, {0}.auth_code, {0}.arn, {0}.mcc, {0}.acceptor_id,
  {0}.transacted_at, {0}.posting_date, {0}.billing_minor, {0}.billing_ccy, {0}.rule_id, {0}.rule_version, {0}.cap_bucket, {0}.cap_cut_units, {0}.reward_kind,
  {0}.reward_units, {0}.reward_ccy, {0}.bank_funded, {0}.merchant_funded, {0}.network_funded, {0}.settlement_ref)::text"""
_THEIR_CONTENT = _CONTENT + " || row({0}.card_ref_type, {0}.txn_minor, {0}.txn_ccy, {0}.fx_rate, {0}.eligible_minor, {0}.exclusion_code)::text"
OURS = f"""
create temporary table ours on commit drop as
select no, day, {_COLUMNS}, md5({_CONTENT.format("e")}) content from recon_expected e
where bank = %(bank)s and day <= %(day)s and not exists (select 1 from recon_match m where m.ours = e.no)
"""
THEIRS = f"""
create temporary table theirs on commit drop as
select no, day, txn_ccy, exclusion_code exclusion, {_COLUMNS}, md5({_THEIR_CONTENT.format("e")}) content from bank_line e
where bank = %(bank)s and day <= %(day)s and not exists (select 1 from recon_match m where m.theirs = e.no)
"""
MEMORY = "set local work_mem = '64MB'"
"""What each sort and join may hold before it goes on on disk."""
PAIR = "create temporary table pair (pass smallint not null, ours bigint, theirs bigint, grouped text) on commit drop"

# --- pass 1: exact replays out ---------------------------------------------------------------------------------------------------------

REPLAYS = f"""
insert into pair (pass, theirs)
select {Pass.REPLAY:d}, no from (select no, row_number() over (partition by content order by no) place from theirs) t where place > 1
union
select {Pass.REPLAY:d}, t.no from theirs t
join bank_line e on e.bank = %(bank)s and e.bank_txn_id = t.txn and e.event_type = t.typ and md5({_THEIR_CONTENT.format("e")}) = t.content
join recon_match m on m.theirs = e.no
"""

# --- passes 2 and 3: by keys -----------------------------------------------------------------------------------------------------------

KEYS = {Pass.TRANSACTION: ("txn", "typ"), Pass.ARN: ("arn", "card", "sign", "grp")}
_AGREE = ("kind", "rule", "typ", "card", "ccy", "minor", "unit", "units", "cut")


def _by_key(which: Pass, columns: tuple[str, ...], ours: str = "", theirs: str = "", among: tuple[str, str] = ("ours_left", "theirs_left")) -> str:
    """Pairs rows that agree in columns, among two tables; where several do, in the order of what they say."""
    key = ", ".join(dict.fromkeys(columns))
    given = "arn is not null" if which is Pass.ARN else "true"
    side = f"select no, {key}, row_number() over (partition by {key} order by units, content, no) place from {{}} where {given} {{}}"
    return f"""
insert into pair (pass, ours, theirs)
select {which:d}, o.no, t.no from ({side.format(among[0], ours)}) o join ({side.format(among[1], theirs)}) t using ({key}, place)
"""


def by_key(which: Pass) -> tuple[str, ...]:
    """The steps of a pass by key: what agrees in all; then by kind and rule; by kind; and where one side gave nothing."""
    key = KEYS[which]
    nothing = "and kind = ''"
    return (
        _by_key(which, (*key, *_AGREE)), _by_key(which, (*key, "kind", "rule")), _by_key(which, (*key, "kind")),
        _by_key(which, key, ours=nothing), _by_key(which, key, theirs=nothing),
    )  # fmt: skip


# Most rows agree in all: they are paired first, and only what they leave is copied and looked at again.
FIRST = _by_key(Pass.TRANSACTION, (*KEYS[Pass.TRANSACTION], *_AGREE), theirs="and no not in (select theirs from pair)", among=("ours", "theirs"))
LEFT = (
    "create temporary table ours_left on commit drop as select * from ours o where not exists (select 1 from pair p where p.ours = o.no)",
    "create temporary table theirs_left on commit drop as select * from theirs t where not exists (select 1 from pair p where p.theirs = t.no)",
)
CONSUME = ("delete from ours_left o using pair p where p.ours = o.no", "delete from theirs_left t using pair p where p.theirs = t.no")

# --- pass 4: by reference numbers, the nearest in time first, as often as that finds any -------------------------------------------------

NEAREST = f"""
with near as (
  select o.no ours, t.no theirs, row_number() over (partition by o.no order by {{order}}, t.content, t.no) mine,
    row_number() over (partition by t.no order by {{order}}, o.content, o.no) its
  from ours_left o join theirs_left t on (t.rrn, t.auth, t.card, t.sign, t.grp, t.kind) = (o.rrn, o.auth, o.card, o.sign, o.grp, o.kind)
    and abs(extract(epoch from o.at - t.at)) <= {WINDOW_DAYS} * 86400
)
insert into pair (pass, ours, theirs) select {Pass.RRN:d}, ours, theirs from near where mine = 1 and its = 1
""".replace("{order}", "abs(extract(epoch from o.at - t.at)), o.typ <> t.typ, o.rule <> t.rule, abs(o.units - t.units)")

# --- pass 5: by circumstances, where they are unique on both sides ---------------------------------------------------------------------

CANDIDATES = f"""
create temporary table candidate on commit drop as
select o.no ours, t.no theirs, count(*) over (partition by o.no) mine, count(*) over (partition by t.no) its
from ours_left o join theirs_left t on (t.card, t.acceptor, t.minor, t.ccy, t.typ, t.kind) = (o.card, o.acceptor, o.minor, o.ccy, o.typ, o.kind)
  and abs(extract(epoch from o.at - t.at)) <= {WINDOW_DAYS} * 86400 and (o.rule = t.rule or o.rule = '' or t.rule = '')
"""
UNIQUE = f"insert into pair (pass, ours, theirs) select {Pass.CIRCUMSTANCES:d}, ours, theirs from candidate where mine = 1 and its = 1"
AMBIGUOUS = (
    "create temporary table ambiguous_ours on commit drop as select distinct ours no from candidate where mine > 1 or its > 1",
    "create temporary table ambiguous_theirs on commit drop as select distinct theirs no from candidate where mine > 1 or its > 1",
)

# --- pass 6: groups under a settlement reference whose sums are the same -----------------------------------------------------------------

GROUPS = f"""
with o as (
  select ref, kind, unit, sum(units) units from ours_left where ref is not null and kind <> ''
    and no not in (select no from ambiguous_ours) group by 1, 2, 3
), t as (
  select ref, kind, unit, sum(units) units from theirs_left where ref is not null and kind <> ''
    and no not in (select no from ambiguous_theirs) group by 1, 2, 3
), same as (select ref, kind, unit from o join t using (ref, kind, unit, units))
insert into pair (pass, ours, theirs, grouped)
select {Pass.GROUP:d}, o.no, null, ref from ours_left o join same using (ref, kind, unit) where o.no not in (select no from ambiguous_ours)
union all
select {Pass.GROUP:d}, null, t.no, ref from theirs_left t join same using (ref, kind, unit) where t.no not in (select no from ambiguous_theirs)
"""

KEEP = """
insert into recon_match (bank, day, pass, ours, theirs, grouped)
select %(bank)s, %(day)s, pass, ours, theirs, grouped from pair order by pass, ours, theirs
"""

# --- what differs, and what is left ----------------------------------------------------------------------------------------------------

_SPLIT = "coalesce(t.bf, 0) + coalesce(t.mf, 0) + coalesce(t.nf, 0)"
DIFFERENCE = f"""
case
  when o.card <> t.card then '{BreakCode.WRONG_CARD}'
  when o.ccy <> t.ccy or (o.unit <> t.unit and o.kind <> '' and t.kind <> '') then '{BreakCode.CURRENCY}'
  when sign(o.units) * sign(t.units) < 0 then '{BreakCode.DIRECTION}'
  when coalesce(t.bf, t.mf, t.nf) is not null and {_SPLIT} <> t.units then '{BreakCode.SPLIT_INCOMPLETE}'
  when o.units = t.units and coalesce(t.bf, t.mf, t.nf) is not null and coalesce(o.bf, o.mf, o.nf) is not null
    and (coalesce(o.bf, 0), coalesce(o.mf, 0), coalesce(o.nf, 0)) <> (coalesce(t.bf, 0), coalesce(t.mf, 0), coalesce(t.nf, 0))
    then '{BreakCode.SPLIT_INCOMPLETE}'
  when (o.rule <> '' and t.rule <> '' and o.rule <> t.rule) or o.version <> t.version then '{BreakCode.RULE_VERSION}'
  when o.units <> t.units and (o.mcc <> t.mcc or (t.exclusion is not null and t.units = 0) or (o.kind = '' and t.units <> 0))
    then '{BreakCode.INELIGIBLE_MCC}'
  when o.minor <> t.minor and t.txn_ccy <> t.ccy then '{BreakCode.FX_RATE}'
  when o.units <> t.units and o.units + o.cut = t.units + t.cut then '{BreakCode.CAP_DIFFERENCE}'
  when t.units > o.units or (t.units = o.units and t.minor > o.minor) then '{BreakCode.AMOUNT_OVER}'
  when t.units < o.units or t.minor < o.minor then '{BreakCode.AMOUNT_UNDER}'
end
"""
_INSERT = "insert into recon_break (bank, day, code, ours, theirs, programme_units, bank_units, unit, first_seen, state)"
DIFFERENT = f"""
{_INSERT}
select %(bank)s, day, code, ours, theirs, units, bank_units, unit, %(seen)s, 'open' from (
  select o.day, {DIFFERENCE} code, p.ours, p.theirs, o.units, t.units bank_units, coalesce(nullif(o.unit, ''), t.unit) unit, o.content, t.content its
  from pair p join ours o on o.no = p.ours join theirs t on t.no = p.theirs
) d where code is not null order by code, content, its
on conflict do nothing
"""
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
    when (t.arn, t.card, t.typ, t.kind, t.rule, t.units, t.minor) in (select arn, card_ref, event_type, coalesce(reward_kind, ''), coalesce(rule_id, ''),
      reward_units, billing_minor from bank_line e join recon_match m on m.theirs = e.no where e.bank = %(bank)s and arn is not null)
      then '{BreakCode.DUPLICATE_BANK}'
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
    when (o.arn, o.card, o.typ, o.kind, o.rule, o.units, o.minor) in (select arn, card_ref, event_type, coalesce(reward_kind, ''), coalesce(rule_id, ''),
      reward_units, billing_minor from recon_expected e join recon_match m on m.ours = e.no where e.bank = %(bank)s and arn is not null)
      then '{BreakCode.DUPLICATE_PROGRAMME}'
    else '{BreakCode.MISSING_AT_BANK}'
  end code
  from ours_left o where o.kind <> '' and not {_DECIDED.format("ours", "o")}
) b order by code, content, no
on conflict (code, ours, theirs) do update set state = 'open' where recon_break.state = 'resolved' and recon_break.proposal is null
"""
# Breaks of one row whose cause is gone: the row is matched now, or breaks under another code since this run.
GONE = """
with gone as (
  select b.no, b.state, case when m.no is null then 'breaks as ' || n.code || ' now' else 'matched by pass ' || m.pass || ', late' end note
  from recon_break b
  left join recon_match m on m.ours = b.ours or m.theirs = b.theirs
  left join recon_break n on n.no > b.no and (n.ours = b.ours or n.theirs = b.theirs) and n.bank = b.bank and (n.ours is null or n.theirs is null)
  where b.bank = %(bank)s and b.state not in ('resolved', 'written off') and (b.ours is null or b.theirs is null) and (m.no is not null or n.no is not null)
), told as (
  insert into recon_turn (break, no, at, who, from_state, to_state, note)
  select distinct on (g.no) g.no, coalesce((select max(no) from recon_turn t where t.break = g.no), 0) + 1, %(now)s, 'matching', g.state, 'resolved', g.note
  from gone g order by g.no, g.note returning break
)
update recon_break b set state = 'resolved' from told where b.no = told.break
"""
# Breaks that had gone and are there again.
AGAIN = """
insert into recon_turn (break, no, at, who, from_state, to_state, note)
select b.no, t.no + 1, %(now)s, 'matching', 'resolved', 'open', 'it is there again' from recon_break b
join lateral (select no, to_state from recon_turn t where t.break = b.no order by no desc limit 1) t on t.to_state = 'resolved'
where b.bank = %(bank)s and b.state = 'open'
"""
