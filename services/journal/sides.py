"""Which account each code debits and credits, as conditions on the journal's rows.

`accounts.py` books by the same table in words (clearing/entries.py). These conditions are written apart from it, so that a row whose accounts do not
follow from its code, parties, member and unit is seen by whoever reads the journal: the night's check and `clh ledger verify`. An account's number
names its owner, role and unit, so a value that moved between two units, members or parties does not follow either.
"""

from clearing.entries import Code

NOT_PENDING = "'0001-01-01'"
"""`release_on` of points that are available."""

CLAIMS = (Code.DISCOUNT, Code.REWARD, Code.CASH_BACK, Code.ROUND_UP_MATCH, Code.PRIVILEGE, Code.PASS, Code.ADJUSTMENT, Code.DISPUTE,
          Code.DEFAULT_LOSS)  # fmt: skip
CLAIMS_REVERSED = (Code.DISCOUNT_REVERSAL, Code.REWARD_REVERSAL, Code.CASH_BACK_REVERSAL, Code.ROUND_UP_MATCH_REVERSAL, Code.PRIVILEGE_REVERSAL,
                   Code.PASS_REVERSAL)  # fmt: skip


def _member(part: int) -> str:
    return f"t.member::bigint * 4 + {part}"


def _party(column: str, role: int) -> str:
    return f"-((t.{column}::bigint * 16 + {role}) * 256 + t.unit)"


_LOT = f"t.member::bigint * 4 + (t.release_on > {NOT_PENDING})::int"
_AVAILABLE, _PENDING, _HELD, _OWED = map(_member, range(4))
_ISSUED, _UNUSED, _FUNDED, _STAMPED, _ROUNDED = (_party("sponsor", role) for role in (1, 4, 5, 7, 8))
_REDEEMED, _BORNE, _CLAIMED = (_party("counterparty", role) for role in (2, 3, 6))

SIDES: dict[Code, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Code.ACCRUAL: ((_ISSUED,), (_LOT,)),
    Code.RELEASE: ((_PENDING,), (_AVAILABLE,)),
    Code.REDEMPTION: ((_LOT, _HELD), (_REDEEMED,)),
    Code.REPAYMENT: ((_LOT,), (_OWED,)),
    Code.RETURN_UNSPENT: ((_LOT,), (_ISSUED,)),
    Code.RETURN_SPENT: ((_BORNE, _OWED), (_ISSUED,)),
    Code.REDEMPTION_REVERSAL: ((_REDEEMED,), (_LOT,)),
    Code.EXPIRY: ((_LOT,), (_UNUSED,)),
    Code.HOLD: ((_LOT,), (_HELD,)),
    Code.HOLD_RELEASE: ((_HELD,), (_LOT,)),
    Code.RETURN_SPENT_REVERSAL: ((_ISSUED,), (_BORNE,)),
    Code.UNFUNDED: ((_ISSUED,), (_PENDING,)),
    Code.UNFUNDED_REVERSAL: ((_PENDING,), (_ISSUED,)),
    **dict.fromkeys(CLAIMS, ((_FUNDED,), (_CLAIMED,))),
    **dict.fromkeys(CLAIMS_REVERSED, ((_CLAIMED,), (_FUNDED,))),
    Code.STAMP: ((_STAMPED,), (_HELD,)),
    Code.STAMP_REVERSAL: ((_HELD,), (_STAMPED,)),
    Code.ROUND_UP: ((_ROUNDED,), (_HELD,)),
}
"""The accounts that may stand on the debited and on the credited side of each code."""


def _follows(column: str, side: int) -> str:
    """The condition on a row `t`; never null. Codes with the same accounts share a branch, the commonest first."""
    codes: dict[tuple[str, ...], list[Code]] = {}
    for code, sides in SIDES.items():
        codes.setdefault(sides[side], []).append(code)
    branches = [f"when t.code in ({', '.join(str(int(code)) for code in of)}) then t.{column} in ({', '.join(accounts)})" for accounts, of in codes.items()]
    return f"coalesce(case {' '.join(branches)} else false end, false)"


def _unit_follows() -> str:
    money = ", ".join(str(int(code)) for code in (*CLAIMS, *CLAIMS_REVERSED, Code.ROUND_UP))
    stamps = f"{int(Code.STAMP)}, {int(Code.STAMP_REVERSAL)}"
    return (
        f"case when t.code in ({stamps}) then t.unit = %(stamps)s when t.code in ({money}) then t.unit not in (%(points)s, %(stamps)s, %(purchases)s) "
        "else t.unit = %(points)s end"
    )


DEBIT_FOLLOWS = _follows("debit", 0)
"""SQL: whether the debited account of row `t` follows from the rest of it."""
CREDIT_FOLLOWS = _follows("credit", 1)
"""SQL: the same of the credited account."""
UNIT_FOLLOWS = _unit_follows()
"""SQL: whether the unit of row `t` is one that its code has; `points`, `stamps`, `purchases` are the numbers of these units."""
