"""How the two rows of a pair differ: the code of the first difference that fits, as an expression over `o` and `t`. Null: in nothing."""

from __future__ import annotations

from clearing.matching import BreakCode

_SPLIT = "coalesce(t.bf, 0) + coalesce(t.mf, 0) + coalesce(t.nf, 0)"
DIFFERENCE = f"""
case
  when o.card <> t.card then '{BreakCode.WRONG_CARD}'
  when o.unit <> t.unit and o.kind = 'POINTS' and t.kind = 'POINTS' then '{BreakCode.WRONG_PROGRAMME}'
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
