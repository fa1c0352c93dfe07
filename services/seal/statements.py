"""What a window's leaves are read from. Both big questions are answered in the order of the leaves and read through a cursor of the server."""

from clearing.entries import Code

# The newest run of each window that stands and is not sealed yet, oldest window first.
DUE = """
select r.day, r.no, r.sha256, r.previous from (
  select distinct on (day) day, no, sha256, previous from run order by day, no desc
) r join settlement_window w on w.day = r.day
where w.state not in ('open', 'draining', 'closed') and r.day <= coalesce(%s, r.day) and not exists (select 1 from seal s where s.run = r.no and not s.settled)
order by r.day
"""
PROGRAMME = "select sha256 from programme order by no desc limit 1"
LAST_HEAD = "select no, sha256 from seal order by no desc limit 1"
# One seal at a time: each names the one before it.
LOCK_CHAIN = "select pg_advisory_xact_lock(hashtext(current_schema() || ' seal'))"
KEEP_LEAVES = "copy seal_leaf (seal, party, place, kind, key, body, salt, personal, member, committed) from stdin (format binary)"
LEAF_TYPES = ("int4", "text", "int8", "text", "text", "text", "bytea", "text", "int4", "bytea")
KEEP_PARTY = "insert into seal_party (seal, party, leaves, hash) values (%s, %s, %s, %s)"
KEEP_SEAL = "insert into seal (no, day, run, root, leaves, head, sha256, key, signature, settled) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
KEEP_RESULT = "insert into seal_result (seal, content) values (%s, %s)"
# Windows that are settled, whose newest run is sealed, and its result is not.
RESULTS_DUE = """
select w.day from settlement_window w join lateral (select max(no) no from run where day = w.day) r on true
where w.state = 'settled' and exists (select 1 from seal s where s.run = r.no and not s.settled)
  and not exists (select 1 from seal s where s.run = r.no and s.settled)
order by w.day
"""
STATE = "select state from settlement_window where day = %s"

# An entry as it stood when the window was closed. It may have gone on since: what was held was booked or lapsed later, what was refused was tried again.
_STOOD = """
case when e.booked is not distinct from %(day)s then e.outcome
  when exists (select 1 from attempt a where a.record = e.record and a.day > %(day)s) then 'rejected'
  when e.booked > %(day)s or (e.code = 'claim-expired' and e.event_day + %(claim_days)s > %(day)s) then 'held'
  else e.outcome end
"""
# That there is any later attempt is asked once for all entries.
_CODE = """
case when (select exists (select 1 from attempt where day > %(day)s))
  then coalesce((select a.code from attempt a where a.record = e.record and a.day > %(day)s order by a.no limit 1), e.code)
  else e.code end
"""
# The hash of an event stands for its bytes: what is kept for the steps below stays small.
_HELD = """record, day, booked, outcome, type, source, id, party, contract, member, card, event_day, code,
  sha256(coalesce(convert_to(body, 'UTF8'), raw)) content"""
_OURS = f"""
select {_HELD} from entry where day = %(day)s
union all
select {_HELD} from entry where booked = %(day)s and booked <> day
"""  # noqa: S608  # columns from this file
# What each transfer and each counted purchase is to whom: a row for the sponsor, and one for the counterparty where it is another. And a row for
# whoever sent the entry, which counts the purchase where it is one, or moves nothing; what nobody proved to have sent is the operator's.
_MOVES = f"""
select t.sponsor party, t.entry, t.line, t.code, t.sponsor, t.contract, t.counterparty, t.counter_contract, t.unit, t.amount
  from transfer t where t.day = %(day)s and t.entry > 0
union all
select t.counterparty, t.entry, t.line, t.code, t.sponsor, t.contract, t.counterparty, t.counter_contract, t.unit, t.amount
  from transfer t where t.day = %(day)s and t.entry > 0 and t.counterparty <> t.sponsor
union all
select coalesce(e.party, %(operator)s), e.record, -1, case when e.booked = %(day)s and e.outcome = 'accepted' and e.type = 'purchase.v1'
    then {int(Code.PURCHASE)} end, e.party, e.contract, null, null, %(purchases)s, 1
  from ours e
"""  # noqa: S608  # a number from the code
# One row for each entry and party: what came, what became of it, and what it moved for this party.
ENTRIES = f"""
with ours as materialized ({_OURS}),
moved as (
  select m.party, m.entry, string_agg(case when m.code is not null then concat_ws(
      ',', m.code, coalesce(m.sponsor, 0), coalesce(m.contract, 0), coalesce(m.counterparty, 0), coalesce(m.counter_contract, 0), m.unit, m.amount
    ) end, ';' order by m.line) moves
  from ({_MOVES}) m group by m.party, m.entry
)
select p.id party, e.record, e.day, e.type, e.source, e.id, e.party sender, e.event_day,
  {_STOOD} outcome, {_CODE} code, e.card, e.member, m.id member_id, encode(e.content, 'hex') content, x.moves
from moved x join ours e on e.record = x.entry join party p on p.no = x.party left join member m on m.no = e.member
order by p.id collate "C", e.record
"""  # noqa: S608  # parts of statements from this file
# The night's own rows (released, expired), one by one.
NIGHT = """
select p.id party, x.entry, x.line, x.code, x.sponsor, x.contract, x.counterparty, x.counter_contract, x.unit, x.amount, x.expiry, x.earned, x.member, m.id
from (
  select sponsor party, * from transfer where day = %(day)s and entry < 0
  union all
  select counterparty, * from transfer where day = %(day)s and entry < 0 and counterparty <> sponsor
) x join party p on p.no = x.party left join member m on m.no = x.member
order by p.id collate "C", x.entry desc, x.line
"""
# New attempts at what had been refused.
ATTEMPTS = """
select p.id, a.record, a.no, a.by_whom, a.code, a.outcome, a.refused from attempt a join lateral (
  select party from entry e where e.record = a.record limit 1
) e on true join party p on p.no = coalesce(e.party, %(operator)s) where a.day = %(day)s order by p.id collate "C", a.record, a.no
"""

# --- what was sealed -------------------------------------------------------------------------------------------------------------------

SEALS = """
select s.no, s.day, s.run, s.leaves, s.head, s.sha256, s.key, s.sealed_at,
  s.run = (select max(no) from run r where r.day = s.day) newest, s.settled
from seal s order by s.no
"""
CHAIN = "select head, signature from seal where no <= %s order by no"
OF_DAY = "select no, head, run from seal where day = %(day)s and not settled order by no desc limit 1"
# The result of a run, where it is sealed.
RESULT_OF = "select s.no, s.head, r.content from seal s join seal_result r on r.seal = s.no where s.run = %s and s.settled"
PARTIES = "select party, hash from seal_party where seal = %s order by party"
LEAVES = """
select party, kind, key, body, committed, salt, personal from seal_leaf where seal = %(seal)s and (%(party)s::text is null or party = %(party)s)
order by party, place
"""
