"""Breaks, listed with their age, and the turns of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from clearing.matching import age_days

# Units of one currency are never taken from those of another: such a break has no difference.
LIST = """
select b.no, b.bank, b.day, b.code, b.state, b.owner, b.programme_units, b.bank_units,
  case when coalesce(nullif(o.reward_ccy, ''), b.unit) = coalesce(nullif(t.reward_ccy, ''), b.unit) then b.bank_units - b.programme_units end diff_units,
  b.unit, coalesce(nullif(o.reward_ccy, ''), b.unit) programme_unit, coalesce(nullif(t.reward_ccy, ''), b.unit) bank_unit,
  coalesce(nullif(o.reward_kind, ''), t.reward_kind, '') reward_kind, b.first_seen,
  b.proposal, b.proposed_by, b.decided_by, coalesce(o.bank_txn_id, t.bank_txn_id) bank_txn_id, coalesce(o.event_type, t.event_type) event_type,
  coalesce(o.card_ref, t.card_ref) card_ref, f.file_id, t.line
from recon_break b left join recon_expected o on o.no = b.ours left join bank_line t on t.no = b.theirs left join bank_file f on f.no = t.file
where (%(bank)s::text is null or b.bank = %(bank)s) and (%(no)s::bigint is null or b.no = %(no)s) and (%(all)s or b.state not in ('resolved', 'written off'))
  and (%(code)s::text is null or b.code = %(code)s) and (%(state)s::text is null or b.state = %(state)s) order by b.no limit %(limit)s
"""
TURNS = "select no, at, who, from_state, to_state, note from recon_turn where break = %s order by no"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which breaks are listed; None: of any. `all`: those that are over too."""

    bank: str | None = None
    code: str | None = None
    state: str | None = None
    all: bool = False
    no: int | None = None


def breaks(connection: psycopg.Connection, chosen: Chosen, today: date, *, limit: int = 1000) -> list[dict[str, Any]]:
    """Breaks in the order in which they were opened, with their age in days from when they were seen, and from their business day."""
    asked = {"bank": chosen.bank, "code": chosen.code, "state": chosen.state, "all": chosen.all or chosen.state is not None, "no": chosen.no, "limit": limit}
    found = connection.cursor(row_factory=dict_row).execute(LIST, asked).fetchall()
    return [row | {"age_days": age_days(row["first_seen"], today), "business_age_days": age_days(row["day"], today)} for row in found]


def turns(connection: psycopg.Connection, no: int) -> list[dict[str, Any]]:
    """What became of a break, turn by turn."""
    return connection.cursor(row_factory=dict_row).execute(TURNS, (no,)).fetchall()
