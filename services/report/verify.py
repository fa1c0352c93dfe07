"""`clh report verify`: recomputes the hash of a stored report and of all those it rests on, and whether its figures add up."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import msgspec
import psycopg
from pydantic import ValidationError

from schemas.canonical import sha256_hex
from schemas.report import SettlementReport
from services.report.stored import NoReport, StoredRun, all_runs, head_of
from services.runtime.progress import Progress, silent

LINES = """
select kind, detail, debtor, creditor, currency, quantity, unit_price, amount, events, contract from obligation where day = %s order by line
"""

DEFAULTED = "select run from window_move where event = 'unpaid_at_deadline' and run is not null"

Key = TypeVar("Key", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was recomputed: of which run, what, whether it holds, and what differs where it does not."""

    run: int
    day: date
    what: str
    holds: bool
    differs: str = ""


def verify_report(connection: psycopg.Connection, day: date | None, progress: Progress = silent, *, whole: bool = True) -> list[Proof]:
    """Recomputes the chain up to the latest run of a window (None: of the newest). Raises `NoReport` where it has none.

    Of every run: its hash is that of its text, the text is canonical, and it names the run that was the latest of the window before when it was made. Of
    the window's own run also: its sums are those of its lines, and the lines are those that the books keep beside it.

    Without `whole`, of earlier runs only what the chain rests on: the hash of the stored bytes, the window and the run before that they name. Bytes with the
    hash that a later report names are those that were canonical when it was made; so a change of an earlier run is found all the same.
    """
    runs = all_runs(connection)
    latest: dict[date, StoredRun] = {run.day: run for run in runs}
    defaulted = {int(no) for (no,) in connection.execute(DEFAULTED)}
    wanted = day if day is not None else max(latest, default=None)
    if wanted is None or wanted not in latest:
        raise NoReport(day)
    chain = [run for run in runs if run.day <= wanted]
    proofs: list[Proof] = []
    for done, run in enumerate(chain):
        proofs += _own(run) if whole or run is latest[wanted] else _hashed(run)
        proofs.append(_linked(run, runs, latest, defaulted))
        progress("recompute hashes", done + 1, len(chain))
    own = latest[wanted]
    try:
        report = own.report
    except ValidationError:
        return proofs  # said above: its text is no report
    return [*proofs, *_adds_up(own, report), _kept(connection, own, report)]


def _hash(run: StoredRun) -> Proof:
    recomputed = sha256_hex(run.text.encode())
    return Proof(run.no, run.day, "hash of the stored report", recomputed == run.sha256, f"stored {run.sha256}, recomputed {recomputed}")


def _hashed(run: StoredRun) -> Iterator[Proof]:
    yield _hash(run)
    try:
        window = head_of(run.text).window
    except msgspec.MsgspecError as error:
        yield Proof(run.no, run.day, "the stored text is a report", holds=False, differs=str(error))
        return
    yield Proof(run.no, run.day, "it is the report of its window", window == run.day, f"it names {window}")


def _own(run: StoredRun) -> Iterator[Proof]:
    yield _hash(run)
    try:
        report = run.report
    except ValidationError as error:
        yield Proof(run.no, run.day, "the stored text is a report", holds=False, differs=f"{error.error_count()} fields are not what they should be")
        return
    same = report.canonical() == run.text.encode()
    yield Proof(run.no, run.day, "the stored text is canonical", same, "reading and writing it gives other bytes")
    yield Proof(run.no, run.day, "it is the report of its window", report.window == run.day, f"it names {report.window}")


def _linked(run: StoredRun, runs: Sequence[StoredRun], latest: dict[date, StoredRun], defaulted: Collection[int]) -> Proof:
    """Whether a run names the hash of the run before it. The latest run of a window must rest on the latest of the window before, or on one that has
    defaulted since: the further run of a defaulted window carries on what that one did.
    """
    named = _named_previous(run)
    earlier = [other for other in runs if other.day < run.day]
    day_before = max((other.day for other in earlier), default=None)
    is_latest = latest[run.day] is run and run.state != "closed"  # one that was rejected or fell, and is still to be made anew, rests on what was then
    candidates = [other for other in earlier if other.day == day_before and (other is latest[other.day] if is_latest else other.no < run.no)]
    expected = candidates[-1].sha256 if candidates else None
    if named != expected and any(other.sha256 == named and other.no < run.no and other.no in defaulted for other in earlier if other.day == day_before):
        expected = named
    holds = named == run.previous == expected
    return Proof(run.no, run.day, "hash of the run before", holds, f"it names {named}, stored is {run.previous}, the run before has {expected}")


def _named_previous(run: StoredRun) -> str | None:
    try:
        return head_of(run.text).previous_sha256
    except msgspec.MsgspecError:
        return run.previous


def _adds_up(run: StoredRun, report: SettlementReport) -> Iterator[Proof]:
    """Positions and pairs are sums of lines, positions come to zero, and every check holds."""
    net: dict[tuple[str, str], int] = {}
    pairs: dict[tuple[str, str, str], int] = {}
    for line in report.obligations:
        for party, minor in ((line.creditor, line.amount_minor), (line.debtor, -line.amount_minor)):
            net[line.currency, party] = net.get((line.currency, party), 0) + minor
        key = (line.currency, line.debtor, line.creditor)
        pairs[key] = pairs.get(key, 0) + line.amount_minor
    positions = {(p.currency, str(p.party)): p.net_minor for p in report.positions}
    yield Proof(run.no, run.day, "positions are the sums of the lines", net == positions, _first_difference(net, positions))
    matrix = {(m.currency, str(m.debtor), str(m.creditor)): m.amount_minor for m in report.matrix}
    some = {key: minor for key, minor in pairs.items() if minor}
    yield Proof(run.no, run.day, "who owes whom are the sums of the lines", some == matrix, _first_difference(some, matrix))
    for currency in sorted({p.currency for p in report.positions}):
        total = sum(p.net_minor for p in report.positions if p.currency == currency)
        yield Proof(run.no, run.day, f"positions in {currency} add up to zero", total == 0, f"they add up to {total}")
    failed = [check.name for check in report.checks if not check.ok]
    yield Proof(run.no, run.day, "all its checks hold", not failed, ", ".join(failed))


def _first_difference(expected: Mapping[Key, int], found: Mapping[Key, int]) -> str:
    differing = sorted(key for key in expected.keys() | found.keys() if expected.get(key, 0) != found.get(key, 0))
    return f"{' '.join(differing[0])}: lines {expected.get(differing[0], 0)}, report {found.get(differing[0], 0)}" if differing else ""


def _kept(connection: psycopg.Connection, run: StoredRun, report: SettlementReport) -> Proof:
    """Whether the obligations that the books keep beside the report are its lines."""
    kept = [tuple(row) for row in connection.execute(LINES, (run.day,))]
    named = [(o.kind, o.detail, o.debtor, o.creditor, o.currency, o.quantity, o.unit_price, o.amount_minor, o.events, o.contract) for o in report.obligations]
    differing = next((place for place, (ours, theirs) in enumerate(zip(kept, named, strict=False), start=1) if ours != theirs), None)
    differs = f"line {differing} differs" if differing else f"{len(kept)} lines are kept, {len(named)} reported"
    return Proof(run.no, run.day, "the lines are those of the books", kept == named, differs)
