"""The set-based statements of the passes. Rows never leave the database; ties are broken by what rows say, so their order changes nothing.

Nearly all rows agree in all. They are paired from the two tables as they stand (`AGREEING`), and only what that leaves is copied and looked at again.
"""

# ruff: noqa: S608  # statements are put together from fragments above them; what comes from outside is always a parameter

from __future__ import annotations

from clearing.matching import WINDOW_DAYS, Pass
from services.recon.differences import DIFFERENCE

# --- what there is to match ------------------------------------------------------------------------------------------------------------

COLUMNS = """
  bank_txn_id txn, event_type typ, coalesce(original_bank_txn_id, '') orig, card_ref card, rrn, auth_code auth, arn, mcc, acceptor_id acceptor,
  transacted_at::timestamptz at, billing_minor minor, billing_ccy ccy, coalesce(rule_id, '') rule, rule_version version, coalesce(cap_cut_units, 0) cut,
  coalesce(reward_kind, '') kind, reward_units units, coalesce(reward_ccy, '') unit, bank_funded bf, merchant_funded mf, network_funded nf,
  settlement_ref ref, case when event_type in ('REFUND', 'CHARGEBACK') then -1 else 1 end sign,
  case when event_type in ('EARN', 'REFUND', 'CHARGEBACK', 'CHARGEBACK_REVERSAL') then '' else event_type end grp
"""
OUR_CONTENT = """row({0}.bank_txn_id, {0}.event_type, {0}.original_bank_txn_id, {0}.card_ref, {0}.rrn, {0}.auth_code, {0}.arn, {0}.mcc, {0}.acceptor_id,
  {0}.transacted_at, {0}.posting_date, {0}.billing_minor, {0}.billing_ccy, {0}.rule_id, {0}.rule_version, {0}.cap_bucket, {0}.cap_cut_units, {0}.reward_kind,
  {0}.reward_units, {0}.reward_ccy, {0}.bank_funded, {0}.merchant_funded, {0}.network_funded, {0}.settlement_ref)::text"""
THEIR_CONTENT = OUR_CONTENT + " || row({0}.card_ref_type, {0}.txn_minor, {0}.txn_ccy, {0}.fx_rate, {0}.eligible_minor, {0}.exclusion_code)::text"
_OUR_ROWS = f"""
select no, day, {COLUMNS}, md5({OUR_CONTENT.format("e")}) content from recon_expected e
where bank = %(bank)s and day <= %(day)s and not exists (select 1 from recon_match m where m.ours = e.no)
"""
_THEIR_ROWS = f"""
select no, day, txn_ccy, exclusion_code exclusion, {COLUMNS}, md5({THEIR_CONTENT.format("e")}) content from bank_line e
where bank = %(bank)s and day <= %(day)s and not exists (select 1 from recon_match m where m.theirs = e.no)
"""
MEMORY = "set local work_mem = '64MB'"
"""What each sort and join may hold before it goes on on disk."""

# --- what agrees in all: the first step of pass 2 ----------------------------------------------------------------------------------------

# A line whose key a matched line has already may be its replay: it is left for pass 1. `is true` keeps the keys of the join few.
AGREEING = f"""
create temporary table agreeing on commit drop as
select o.no ours, t.no theirs from ({_OUR_ROWS}) o join ({_THEIR_ROWS}) t on (t.txn, t.typ, t.rule) = (o.txn, o.typ, o.rule)
where ((t.kind, t.unit, t.cut, t.units, t.minor) = (o.kind, o.unit, o.cut, o.units, o.minor)) is true and ({DIFFERENCE}) is null
  and not exists (select 1 from bank_line e join recon_match m on m.theirs = e.no where e.bank = %(bank)s and (e.bank_txn_id, e.event_type) = (t.txn, t.typ))
"""
# Where several agree with one, they are left for the passes, which know replays and ties. In the order of rows: indexes grow at their end.
AGREED = f"""
insert into recon_match (bank, day, pass, ours, theirs)
select %(bank)s, %(day)s, {Pass.TRANSACTION:d}, ours, theirs from agreeing
where ours not in (select ours from agreeing group by ours having count(*) > 1)
  and theirs not in (select theirs from agreeing group by theirs having count(*) > 1)
order by ours
"""
REST = (
    "drop table agreeing",
    f"create temporary table ours on commit drop as {_OUR_ROWS}",
    f"create temporary table theirs on commit drop as {_THEIR_ROWS}",
    "create temporary table pair (pass smallint not null, ours bigint, theirs bigint, grouped text) on commit drop",
    "analyze ours",
    "analyze theirs",
)

# --- pass 1: exact replays out ---------------------------------------------------------------------------------------------------------

REPLAYS = f"""
insert into pair (pass, theirs)
select {Pass.REPLAY:d}, no from (select no, row_number() over (partition by content order by no) place from theirs) t where place > 1
union
select {Pass.REPLAY:d}, t.no from theirs t
join bank_line e on e.bank = %(bank)s and e.bank_txn_id = t.txn and e.event_type = t.typ
where (md5({THEIR_CONTENT.format("e")}) = t.content) is true and exists (select 1 from recon_match m where m.theirs = e.no)
"""

# --- passes 2 and 3: by keys -----------------------------------------------------------------------------------------------------------

KEYS = {Pass.TRANSACTION: ("txn", "typ"), Pass.ARN: ("arn", "card", "sign", "grp")}
_AGREE = ("kind", "rule", "typ", "card", "ccy", "minor", "unit", "units", "cut")


def _by_key(which: Pass, columns: tuple[str, ...], ours: str = "", theirs: str = "") -> str:
    """Pairs rows that agree in columns; where several do, in the order of what they say."""
    key = ", ".join(dict.fromkeys(columns))
    given = "arn is not null" if which is Pass.ARN else "true"
    side = f"select no, {key}, row_number() over (partition by {key} order by units, content, no) place from {{}} where {given} {{}}"
    return f"""
insert into pair (pass, ours, theirs)
select {which:d}, o.no, t.no from ({side.format("ours_left", ours)}) o join ({side.format("theirs_left", theirs)}) t using ({key}, place)
"""


def by_key(which: Pass) -> tuple[str, ...]:
    """The steps of a pass by key: what agrees in all; then by kind and rule; by kind; and where one side gave nothing."""
    key = KEYS[which]
    nothing = "and kind = ''"
    return (
        _by_key(which, (*key, *_AGREE)), _by_key(which, (*key, "kind", "rule")), _by_key(which, (*key, "kind")),
        _by_key(which, key, ours=nothing), _by_key(which, key, theirs=nothing),
    )  # fmt: skip


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
