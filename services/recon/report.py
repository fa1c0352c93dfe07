"""A bank and a day: what is matched, proposed and broken, by code, and how the two sums differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from clearing.matching import Pass

# Every row of the day on either side, with what became of it: one cause each, so the causes add up to the difference of the sums. A break is counted
# with its row of ours, or, where that is of another day or there is none, with the bank's: a pair counts once, also where its two rows are in two currencies.
CAUSES = """
with rows as (
  select coalesce(e.reward_kind, '') kind, coalesce(e.reward_ccy, '') unit, e.reward_units ours, 0::bigint theirs, 1 our_rows, 0 their_rows, 1 breaks, m.pass,
    m.no is not null matched, coalesce(d.code, a.code) code, coalesce(d.state, a.state) state, t.day is not null and t.day <> e.day other_day
  from recon_expected e left join recon_match m on m.ours = e.no left join bank_line t on t.no = m.theirs
  left join recon_break d on d.ours = m.ours and d.theirs = m.theirs
  left join lateral (select code, state from recon_break b where b.ours = e.no and b.theirs is null order by no desc limit 1) a on m.no is null
  where e.bank = %(bank)s and e.day = %(day)s
  union all
  select coalesce(e.reward_kind, ''), coalesce(e.reward_ccy, ''), 0, e.reward_units, 0, 1,
    case when d.no is not null and o.day = e.day then 0 else 1 end, m.pass,
    m.no is not null, coalesce(d.code, a.code), coalesce(d.state, a.state), o.day is not null and o.day <> e.day
  from bank_line e left join recon_match m on m.theirs = e.no left join recon_expected o on o.no = m.ours
  left join recon_break d on d.ours = m.ours and d.theirs = m.theirs
  left join lateral (select code, state from recon_break b where b.theirs = e.no and b.ours is null order by no desc limit 1) a on m.no is null
  where e.bank = %(bank)s and e.day = %(day)s
)
select kind, unit, case
    when code is not null then 'broken' when pass = %(replay)s then 'replay' when other_day then 'matched, other day' when matched then 'matched'
    else 'not reported' end what, coalesce(code, '') code, coalesce(state, '') state, sum(our_rows)::bigint our_rows, sum(their_rows)::bigint their_rows,
  sum(breaks)::bigint breaks,  sum(ours)::bigint programme_units, sum(theirs)::bigint bank_units
from rows group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
"""
FILES = "select file_id, lines, bad, state from bank_file where bank = %(bank)s and day = %(day)s order by sequence"
PASSES = """
select m.pass, count(*) from recon_match m left join recon_expected o on o.no = m.ours left join bank_line t on t.no = m.theirs
where m.bank = %(bank)s and coalesce(o.day, t.day) = %(day)s group by m.pass order by m.pass
"""
RUNS = "select count(*) from recon_run where bank = %(bank)s and day >= %(day)s"
AGES = """
select case when age < 2 then '0-1' when age < 8 then '2-7' when age < 31 then '8-30' else '31+' end days, count(*) filter (where seen) seen,
  count(*) filter (where not seen) business
from (
  select %(today)s::date - case when seen then first_seen else day end age, seen from recon_break, (values (true), (false)) v (seen)
  where bank = %(bank)s and state not in ('resolved', 'written off')
) a group by 1 order by min(age)
"""


class NotRun(LookupError):
    """Nothing was matched up to that day yet."""

    def __init__(self, bank: str, day: date) -> None:
        super().__init__(f"{bank} was not matched up to {day}: clh recon run {bank} {day}")


@dataclass(frozen=True, slots=True)
class ReconReport:
    """The figures of one bank and day. Rows and units stand by kind of reward and unit; `causes` add up to the difference of each."""

    bank: str
    day: date
    as_of: date
    """The day that ages are counted to."""
    files: list[dict[str, Any]]
    file_late: bool
    """The window is closed and matched, and the bank has sent no file of that day."""
    matched: int
    proposed: int
    """Breaks of which somebody has proposed something, or that only circumstances would match, not uniquely."""
    broken: dict[str, int]
    """Open breaks of the day's rows, by code; a pair counts once."""
    sums: list[dict[str, Any]]
    causes: list[dict[str, Any]]
    passes: dict[str, int]
    ages: list[dict[str, Any]]
    """Open breaks of the bank by age in days: from when they were `seen`, and from their `business` day."""


def recon_report(connection: psycopg.Connection, bank: str, day: date, today: date) -> ReconReport:
    """Reads the report from what the runs have left; `today` is the day that ages are counted to. Raises `NotRun`."""
    asked = {"bank": bank, "day": day, "today": today, "replay": int(Pass.REPLAY)}
    run = connection.execute(RUNS, asked).fetchone()
    if run is None or run[0] == 0:
        raise NotRun(bank, day)
    cursor = connection.cursor(row_factory=dict_row)
    causes = cursor.execute(CAUSES, asked).fetchall()
    files = cursor.execute(FILES, asked).fetchall()
    going = [row for row in causes if row["what"] == "broken" and row["state"] not in {"resolved", "written off"}]
    broken: dict[str, int] = {}
    for row in going:
        broken[row["code"]] = broken.get(row["code"], 0) + row["breaks"]
    return ReconReport(
        bank, day, today, files, not files,
        matched=sum(max(row["our_rows"], row["their_rows"]) for row in causes if row["what"].startswith("matched")),
        proposed=sum(row["breaks"] for row in going if row["code"] == "AMBIGUOUS" or row["state"] == "proposed"),
        broken=broken, sums=_sums(causes),
        causes=[row | {"diff_units": row["bank_units"] - row["programme_units"]} for row in causes if row["bank_units"] != row["programme_units"]],
        passes={Pass(no).name.lower() if no else "by hand": rows for no, rows in connection.execute(PASSES, asked).fetchall()},
        ages=cursor.execute(AGES, asked).fetchall(),
    )  # fmt: skip


def _sums(causes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Both sums of each kind of reward and unit, and how they differ."""
    totals: dict[tuple[str, str], list[int]] = {}
    for row in causes:
        total = totals.setdefault((row["kind"], row["unit"]), [0, 0])
        total[0] += row["programme_units"]
        total[1] += row["bank_units"]
    return [
        {"kind": kind, "unit": unit, "programme_units": ours, "bank_units": theirs, "diff_units": theirs - ours}
        for (kind, unit), (ours, theirs) in sorted(totals.items())
    ]
