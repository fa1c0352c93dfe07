"""Which matches do not hold, recomputed from the rows on both sides."""

from clearing.matching import WINDOW_DAYS, Pass
from services.recon.statements import COLUMNS, THEIR_CONTENT

_NEAR = f"abs(extract(epoch from o.at - t.at)) <= {WINDOW_DAYS} * 86400"
# By pass, what has to be true of a match; a forced one is by two people.
_HOLDS = f"""
case m.pass
  when 0 then o.no is not null and t.no is not null and exists (
    select from recon_break b join recon_break c on c.no = b.counterpart join recon_signature s on s.break = b.no and s.action = 'decide'
    where s.decision = 'forced-match' and coalesce(b.ours, c.ours) = m.ours and coalesce(b.theirs, c.theirs) = m.theirs)
  when {Pass.REPLAY:d} then m.ours is null and exists (
    select from bank_line e join bank_line own on own.no = t.no
    where e.bank = t.bank and e.bank_txn_id = t.txn and e.event_type = t.typ and e.no <> t.no and {THEIR_CONTENT.format("e")} = {THEIR_CONTENT.format("own")})
  when {Pass.TRANSACTION:d} then (o.txn, o.typ) = (t.txn, t.typ)
  when {Pass.ARN:d} then (o.arn, o.card, o.sign, o.grp) = (t.arn, t.card, t.sign, t.grp)
  when {Pass.RRN:d} then (o.rrn, o.auth, o.card, o.sign, o.grp, o.kind) = (t.rrn, t.auth, t.card, t.sign, t.grp, t.kind) and {_NEAR}
  when {Pass.CIRCUMSTANCES:d} then (o.card, o.acceptor, o.minor, o.ccy, o.typ, o.kind) = (t.card, t.acceptor, t.minor, t.ccy, t.typ, t.kind) and {_NEAR}
    and (o.rule = t.rule or o.rule = '' or t.rule = '')
  when {Pass.GROUP:d} then (m.ours is null) <> (m.theirs is null) and m.grouped = coalesce(o.ref, t.ref) and exists (
    select from sums g where (g.bank, g.day, g.grouped, g.kind, g.unit) = (m.bank, m.day, m.grouped, coalesce(o.kind, t.kind), coalesce(o.unit, t.unit))
      and g.ours = g.theirs)
  else false
end
"""  # noqa: S608  # text from the passes
UNMATCHED = f"""
with o as (select no, bank, {COLUMNS} from recon_expected), t as (select no, bank, {COLUMNS} from bank_line),
sums as (
  select m.bank, m.day, m.grouped, coalesce(o.kind, t.kind) kind, coalesce(o.unit, t.unit) unit, sum(o.units) ours, sum(t.units) theirs
  from recon_match m left join o on o.no = m.ours left join t on t.no = m.theirs where m.pass = {Pass.GROUP:d} group by 1, 2, 3, 4, 5
)
select m.no, m.pass, m.ours, m.theirs from recon_match m left join o on o.no = m.ours left join t on t.no = m.theirs
where (%(bank)s::text is null or m.bank = %(bank)s) and not coalesce(
  (m.ours is null or o.bank = m.bank) and (m.theirs is null or t.bank = m.bank) and {_HOLDS}, false)
order by m.no
"""  # noqa: S608  # text from above and from the passes
"""Number, pass and rows of each match whose rows are not there, are another bank's, or do not agree in what its pass goes by."""
