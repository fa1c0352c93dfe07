"""Answers a bank, line by line: what matched, what broke and why, what it lacks. Written as CSV with manifest, and noted in the books.

Where nothing has changed since the last answer of the day, the same file is written again, under the same id.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from clearing.matching import Pass, age_days
from schemas.answer_files import ANSWER_COLUMNS, AnswerManifest, AnswerStatus
from services.bank.reading import manifest_path
from services.report.csv_files import cell, csv_line
from services.runtime.progress import Progress, silent

BATCH: Final = 10_000
# Every line of the bank's files of a day with what became of it, then the lines put aside, then what the bank lacks. A group's sums are the same: so are
# the units of each of its lines.
LINES = """
with broken as (select no, ours, theirs, code, state, first_seen, programme_units, bank_units from recon_break where bank = %(bank)s)
select f.file_id, l.line - 1 line_no, l.bank_txn_id, l.event_type, l.card_ref, l.rrn, l.auth_code, l.arn, l.rule_id, l.reward_kind,
  coalesce(l.reward_ccy, '') reward_ccy, l.reward_units, m.pass, m.grouped, b.code, b.state, b.first_seen, b.no break,
  case when m.pass = %(replay)s then 0 when m.grouped is not null then l.reward_units else coalesce(o.reward_units, 0) end programme_units
from bank_line l join bank_file f on f.no = l.file left join recon_match m on m.theirs = l.no left join recon_expected o on o.no = m.ours
left join lateral (
  select * from broken x where x.theirs = l.no and ((m.no is null and x.ours is null) or (m.no is not null and x.ours = m.ours)) order by x.no desc limit 1
) b on true
where l.bank = %(bank)s and l.day = %(day)s order by f.sequence, l.line
"""
PUT_ASIDE = """
select f.file_id, b.line - 1 line_no, b.field || ': ' || b.code note from bank_bad_line b join bank_file f on f.no = b.file
where f.bank = %(bank)s and f.day = %(day)s order by f.sequence, b.line
"""
LACKED = """
select o.bank_txn_id, o.event_type, o.card_ref, o.rrn, o.auth_code, o.arn, o.rule_id, o.reward_kind, coalesce(o.reward_ccy, '') reward_ccy, b.code, b.state,
  b.first_seen, b.no break, o.reward_units programme_units
from recon_expected o join lateral (
  select no, code, state, first_seen from recon_break x where x.ours = o.no and x.theirs is null order by x.no desc limit 1
) b on true
where o.bank = %(bank)s and o.day = %(day)s and not exists (select 1 from recon_match m where m.ours = o.no)
order by o.bank_txn_id, o.event_type, o.rule_id, o.reward_kind, o.no
"""
ASKED = "select note from recon_turn where break = %s and to_state = 'awaiting bank' order by no desc limit 1"
FILES = "select file_id from bank_file where bank = %(bank)s and day = %(day)s order by sequence"
LAST = "select file_id from bank_answer where bank = %s order by no desc limit 1"
SAME = "select manifest from bank_answer where bank = %s and day = %s and sha256 = %s and no = (select max(no) from bank_answer where bank = %s and day = %s)"
NEXT = "select coalesce(max(sequence), 0) + 1 from bank_answer where bank = %s and day = %s"
NOTE = "insert into bank_answer (bank, day, sequence, file_id, sha256, lines, manifest, made_at) values (%s, %s, %s, %s, %s, %s, %s, %s)"


class NothingToAnswer(LookupError):
    """There is neither a file of the bank's for the day nor a row that it lacks."""

    def __init__(self, bank: str, day: date) -> None:
        super().__init__(f"there is nothing to answer {bank} about {day}: no file has come, and nothing was matched (clh recon run {bank} {day})")


@dataclass(frozen=True, slots=True)
class Answered:
    """A file that was written; `again`: it is the one of before."""

    path: Path
    manifest: AnswerManifest
    again: bool


def write_answer(connection: psycopg.Connection, programme: str, bank: str, day: date, folder: Path, now: datetime, progress: Progress = silent) -> Answered:
    """Writes the answer of a day into a folder, and notes it. `now`: when it is written, and the day that ages are counted to. Raises `NothingToAnswer`."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"ANS_{bank}_{programme}_{day}.partial"
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtext('clh bank answers'), hashtext(current_schema() || %s))", (bank,))
            digest, totals = _write(connection, {"bank": bank, "day": day, "replay": int(Pass.REPLAY)}, now.date(), partial, progress)
            count = sum(total[0] for total in totals.values())
            if not count:
                raise NothingToAnswer(bank, day)
            same = connection.execute(SAME, (bank, day, digest, bank, day)).fetchone()
            if same is None:
                told = _manifest(connection, programme, bank, day, digest, totals)
                values = (bank, day, told.sequence, told.file_id, digest, count, told.model_dump_json(), now)
                connection.execute(NOTE, values)
            else:
                told = AnswerManifest.model_validate(same[0])
        path = folder / told.file_name
        manifest_path(path).write_text(json.dumps(told.model_dump(), indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return Answered(path, told, again=same is not None)


Totals = dict[tuple[str, str, str], list[int]]


def _manifest(connection: psycopg.Connection, programme: str, bank: str, day: date, digest: str, totals: Totals) -> AnswerManifest:
    sequence = connection.execute(NEXT, (bank, day)).fetchone()
    before = connection.execute(LAST, (bank,)).fetchone()
    assert sequence is not None
    listed = [
        {"status": key[0], "break_code": key[1], "reward_ccy": key[2], "count": total[0], "bank_units": total[1], "programme_units": total[2]}
        for key, total in sorted(totals.items())
    ]
    files = [file for (file,) in connection.execute(FILES, {"bank": bank, "day": day})]
    name = hashlib.sha256(f"{programme} {bank}".encode()).hexdigest()[:16]
    return AnswerManifest.model_validate(
        {
            "schema_version": "1", "file_id": f"answer:{day}:{sequence[0]}:{name}", "bank": bank, "programme": programme, "day": day.isoformat(),
            "sequence": sequence[0], "answers": files, "record_count": sum(total[0] for total in totals.values()), "sha256": digest,
            "previous_file": None if before is None else before[0], "totals": listed,
        }
    )  # fmt: skip


def _write(connection: psycopg.Connection, asked: dict[str, Any], today: date, path: Path, progress: Progress) -> tuple[str, Totals]:
    """Writes header and lines; returns the SHA-256 of the file, and lines and units of both sides by status, code and unit."""
    hashed, totals, count = hashlib.sha256(), Totals(), 0
    with path.open("wb") as file:

        def put(cells: list[Any]) -> None:
            line = csv_line([cell(one) if isinstance(one, str) else "" if one is None else str(one) for one in cells]).encode()
            hashed.update(line)
            file.write(line)

        put(list(ANSWER_COLUMNS))
        for question in (LINES, PUT_ASIDE, LACKED):
            with connection.cursor(name="answer", row_factory=dict_row) as rows:
                rows.itersize = BATCH
                rows.execute(question, asked)
                for row in rows:
                    answer = row | _answer(connection, row, today)
                    put([answer.get(name) for name in ANSWER_COLUMNS])
                    total = totals.setdefault((answer["status"], answer["break_code"], answer.get("reward_ccy") or ""), [0, 0, 0])
                    for place, more in enumerate((1, answer.get("reward_units") or 0, answer.get("programme_units") or 0)):
                        total[place] += more
                    count += 1
                    if count % BATCH == 0:
                        progress("Writing", count, None)
    progress("Writing", count, count)
    return hashed.hexdigest(), totals


def _answer(connection: psycopg.Connection, row: dict[str, Any], today: date) -> dict[str, Any]:
    """Status, code, difference, age and note of a row."""
    if "note" in row:
        return {"status": AnswerStatus.QUARANTINED.value, "break_code": ""}
    diff = (row.get("reward_units") or 0) - row["programme_units"]
    if row["code"] is None:
        matched = AnswerStatus.NOT_MATCHED if row["pass"] is None else AnswerStatus.REPLAY if row["pass"] == Pass.REPLAY else AnswerStatus.MATCHED
        return {"status": matched.value, "break_code": "", "diff_units": diff, "note": f"group {row['grouped']}" if row["grouped"] else ""}
    asked = connection.execute(ASKED, (row["break"],)).fetchone() if row["state"] == AnswerStatus.AWAITING_BANK else None
    told = {"status": AnswerStatus(row["state"]).value, "break_code": row["code"], "diff_units": diff, "age_days": age_days(row["first_seen"], today)}
    return told | {"note": "" if asked is None else asked[0]}
