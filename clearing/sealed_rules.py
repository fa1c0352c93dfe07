"""Which lines may follow from a sealed total: of which kind, who owes whom, and whose contract version says the price (rules 16 to 23)."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from clearing.entries import Code
from clearing.obligations import SUMS

Line = Mapping[str, Any]
"""The body of a sealed line."""

PLAIN: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,40})?", re.ASCII)
"""A price or percent: no exponent, and no more digits than can be multiplied at once."""
EXACT: Final = re.compile(r"-?[0-9]{1,40}(/[0-9]{1,40})?", re.ASCII)
"""An exact number of minor units."""


class Key(NamedTuple):
    """A pricing key in names, as moves and the sources of lines tell it."""

    code: int
    sponsor: str | None
    contract: str | None
    counterparty: str | None
    counter_contract: str | None
    unit: str


class Rule(NamedTuple):
    """A line that may follow from totals of a code. Sides are fields of the key, or the operator; `version` is the field of the contract's first day."""

    kind: str
    debtor: str
    creditor: str
    version: str | None
    detail: str | None = None


OPERATOR: Final = "operator"
_OWN, _OTHER = "contract", "counter_contract"
_S, _C = "sponsor", "counterparty"

# Where a line could follow in two ways, the one that names both sides comes first: the operator may be sponsor or counterparty itself.
RULES: Final[Mapping[int, tuple[Rule, ...]]] = MappingProxyType(
    {
        Code.ACCRUAL: (Rule("issue", _S, OPERATOR, _OWN),),
        Code.REDEMPTION: (Rule("redemption", _S, _C, _OWN), Rule("redemption", OPERATOR, _C, _OTHER), Rule("issue", _S, OPERATOR, _OWN)),
        Code.REPAYMENT: (Rule("redemption", _S, _C, _OWN), Rule("issue", _S, OPERATOR, _OWN)),
        Code.RETURN_UNSPENT: (Rule("issue_reversal", OPERATOR, _S, _OWN),),
        Code.RETURN_SPENT: (Rule("issue_reversal", _C, _S, _OWN),),
        Code.REDEMPTION_REVERSAL: (
            Rule("redemption_reversal", _C, _S, _OWN),
            Rule("redemption_reversal", _C, OPERATOR, _OTHER),
            Rule("redemption_reversal", OPERATOR, _S, _OWN),
        ),
        Code.EXPIRY: (Rule("unused_points", OPERATOR, _S, _OWN),),
        Code.RETURN_SPENT_REVERSAL: (Rule("issue", _S, _C, _OWN),),
        Code.PURCHASE: (Rule("fee", _S, OPERATOR, _OWN, "per_transaction"),),
        **{code: (Rule(kind.value, _C, _S, None) if back else Rule(kind.value, _S, _C, None),) for code, (kind, back) in SUMS.items()},
    }
)


def rule_of(key: Key, line: Line) -> Rule | None:
    """The rule by which a line follows from a total; None where there is none, so that it does not."""
    return next((rule for rule in RULES.get(key.code, ()) if _fits(rule, key, line)), None)


def operator_in(rule: Rule, line: Line) -> str | None:
    """Who has to be the operator for a line to follow by a rule; None where the rule names both sides."""
    return next((line[side] for side in ("debtor", "creditor") if getattr(rule, side) == OPERATOR), None)


def _fits(rule: Rule, key: Key, line: Line) -> bool:
    sums = rule.version is None
    return (
        (line["kind"], line["detail"]) == (rule.kind, rule.detail)
        and all(getattr(rule, side) == OPERATOR or line[side] == getattr(key, getattr(rule, side)) for side in ("debtor", "creditor"))
        and line["contract"] == (None if rule.version is None else getattr(key, rule.version))
        and (not sums or line["currency"] == key.unit)
        and (line["unit_price"] is None) == (line["quantity"] is None) == sums
    )


def counted_by(key: Key, line: Line) -> Iterator[tuple[str, str | None, str | None, int]]:
    """For which percentage a total of a line counts: detail of the fee, whose fee, under which version, and whether it raises or lowers it (rule 21)."""
    kind = line["kind"]
    if kind in ("issue", "issue_reversal"):
        yield "percent_of_issue", key.sponsor, key.contract, 1 if kind == "issue" else -1
    elif kind == "redemption" and key.code == Code.REDEMPTION and line["creditor"] == key.counterparty:
        yield "percent_of_redemption", key.counterparty, key.counter_contract, 1
    elif kind == "redemption_reversal" and line["debtor"] == key.counterparty:
        yield "percent_of_redemption", key.counterparty, key.counter_contract, -1
