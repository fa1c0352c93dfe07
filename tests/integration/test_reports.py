"""`clh report` on the books of a scenario: what is shown is what the night worked out, and whoever changes it afterwards is found out."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.played import Played, played

Run = Callable[..., Result]
DAYS = ("2026-03-02", "2026-03-03", "2026-04-30")


@pytest.fixture(scope="module")
def books(addresses: Addresses) -> Iterator[Played]:
    with played(Path(__file__).with_name("three_nights.yaml"), addresses) as one:
        yield one


@pytest.fixture
def run(books: Played, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`clh report` on these books."""
    monkeypatch.setenv("CLH_POSTGRES_URI", books.addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", books.addresses.kafka_bootstrap)
    return lambda *words: CliRunner().invoke(app, ["report", *(str(word) for word in words), "--programme", books.name])


@contextmanager
def changed(books: Played, change: str, back: str) -> Iterator[None]:
    """Something in the books changed by somebody with all rights, for the length of a block."""
    with books.owner() as connection:
        connection.execute("set session_replication_role = replica")
        assert connection.execute(change).rowcount > 0
        try:
            yield
        finally:
            connection.execute(back)


def stored(books: Played) -> dict[str, str]:
    """The hash of each window's report."""
    with books.owner() as connection:
        return {str(day): sha256 for day, sha256 in connection.execute("select day, sha256 from run order by no")}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_newest_report_is_shown_unless_a_day_is_named(books: Played, run: Run) -> None:
    assert f"window {DAYS[-1]}: all 6 checks hold" in run("show").output
    first = run("show", DAYS[0])
    assert first.exit_code == 0
    assert "insufficient-points" in first.output
    assert stored(books)[DAYS[0]] in first.output
    assert "Nights: money" not in first.output
    assert "Nights: money" in run("show", DAYS[1]).output


def test_a_day_without_a_report_and_an_unknown_part_are_said_to_be_missing(run: Run) -> None:
    missing = run("show", "2026-03-09")
    assert (missing.exit_code, "window 2026-03-09 has no report" in missing.output) == (1, True)
    assert run("show", "--section", "nonsense").exit_code == 2
    assert run("show", "9 March").exit_code == 2


def test_the_positions_shown_are_those_of_the_scenario(books: Played, run: Run) -> None:
    for day in DAYS:
        document = json.loads(run("show", day, "--output", "json").stdout)
        assert document["sha256"] == stored(books)[day]
        net = {p["party"]: Decimal(p["net_minor"]) / 100 for p in document["report"]["positions"] if p["net_minor"]}
        assert net == {party: Decimal(amount) for party, amount in books.outcome["positions"][day]["EUR"].items()}


def test_the_json_that_is_rendered_has_the_hash_that_is_approved(books: Played, run: Run, tmp_path: Path) -> None:
    for day in DAYS:
        target = tmp_path / f"{day}.json"
        assert run("render", day, "--format", "json", "--to", target).exit_code == 0
        assert hashlib.sha256(target.read_bytes()).hexdigest() == stored(books)[day]
        told = json.loads(run("render", day, "--format", "json", "--to", target, "--output", "json").stdout)
        assert told == {"path": str(target), "bytes": target.stat().st_size, "sha256": stored(books)[day]}
    assert run("render", "--format", "json", "--to", "-", "--output", "json").exit_code == 2  # two things to one stream
    piped = run("render", "--format", "json", "--to", "-")
    assert hashlib.sha256(piped.stdout_bytes).hexdigest() == stored(books)[DAYS[-1]]


def test_a_page_is_written_with_all_its_figures(books: Played, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "night.html"
    assert run("render", DAYS[1], "--to", target).exit_code == 0
    page = target.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert stored(books)[DAYS[1]] in page
    assert stored(books)[DAYS[0]] in page
    assert "Obligations by night, EUR" in page


def test_csv_comes_as_a_folder_or_as_one_file(run: Run, tmp_path: Path) -> None:
    assert run("render", DAYS[0], "--format", "csv", "--to", tmp_path / "night").exit_code == 0
    tables = {
        "waterfall",
        "positions",
        "matrix",
        "kinds",
        "obligations",
        "payments",
        "carried",
        "checks",
        "check_figures",
        "events",
        "rejected",
        "points",
        "origin",
    }
    assert {path.name for path in (tmp_path / "night").iterdir()} == {f"{name}.csv" for name in tables}
    told = json.loads(run("render", DAYS[0], "--format", "csv", "--to", tmp_path / "night", "--output", "json").stdout)
    assert set(told["files"]) == {f"{name}.csv" for name in tables}
    one = tmp_path / "obligations.csv"
    assert run("render", DAYS[0], "--format", "csv", "--section", "obligations", "--to", one).exit_code == 0
    assert one.read_bytes() == (tmp_path / "night" / "obligations.csv").read_bytes()
    assert run("render", DAYS[0], "--format", "csv", "--section", "obligations", "--to", "-").stdout_bytes == one.read_bytes()
    assert run("render", DAYS[0], "--format", "csv", "--to", "-").exit_code == 2
    assert run("render", DAYS[0], "--format", "html", "--section", "obligations").exit_code == 2
    assert run("render", DAYS[0], "--to", tmp_path / "nowhere" / "night.html").exit_code == 1


def test_obligations_in_csv_are_those_of_the_scenario(books: Played, run: Run) -> None:
    for day in DAYS:
        told = rows(run("render", day, "--format", "csv", "--section", "obligations", "--to", "-").stdout)
        shown = [(line["kind"], line["detail"], line["debtor"], line["creditor"], line["amount"], line["events"]) for line in told]
        worked_out = [
            (line["kind"], line["detail"] or "", line["debtor"], line["creditor"], line["amount"], str(line["events"] or ""))
            for line in books.outcome["obligations"]
            if line["window"] == day
        ]
        assert shown == worked_out != []


def test_the_list_shows_how_each_report_rests_on_the_one_before(books: Played, run: Run) -> None:
    listed = json.loads(run("list", "--output", "json").stdout)["reports"]
    assert [report["window"] for report in listed] == list(DAYS)
    assert [report["sha256"] for report in listed] == list(stored(books).values())
    assert [report["previous_sha256"] for report in listed] == [None, *list(stored(books).values())[:-1]]
    assert all(day in run("list").output for day in DAYS)


def test_sound_reports_are_verified_with_all_that_they_rest_on(run: Run) -> None:
    told = run("verify")
    assert (told.exit_code, "over 3 runs: everything holds." in told.output) == (0, True)
    document = json.loads(run("verify", DAYS[1], "--output", "json").stdout)
    assert (document["runs"], document["broken"]) == (2, 0)
    assert run("verify", "2026-03-09").exit_code == 1


SWAP = "update run set report = replace(report, '{}', '{}') where day = '2026-03-03'"
TAMPERED = {
    "hash of the stored report": (
        SWAP.format('"netting":"multilateral"', '"netting":"bilateral"'),
        SWAP.format('"netting":"bilateral"', '"netting":"multilateral"'),
    ),
    "the stored text is canonical": (SWAP.format('"format":1,', '"format": 1,'), SWAP.format('"format": 1,', '"format":1,')),
    "the stored text is a report": (SWAP.format('"format":1,', '"format":2,'), SWAP.format('"format":2,', '"format":1,')),
    "it is the report of its window": (
        SWAP.format('"window":"2026-03-03"', '"window":"2026-03-04"'),
        SWAP.format('"window":"2026-03-04"', '"window":"2026-03-03"'),
    ),
    "hash of the run before": (
        "update run set previous = reverse(previous) where day = '2026-03-03'",
        "update run set previous = reverse(previous) where day = '2026-03-03'",
    ),
    "the lines are those of the books": (
        "update obligation set amount = amount + 1 where day = '2026-03-03' and line = 0",
        "update obligation set amount = amount - 1 where day = '2026-03-03' and line = 0",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_whoever_changes_a_stored_report_is_found_out(books: Played, run: Run, what: str) -> None:
    with changed(books, *TAMPERED[what]):
        told = run("verify", "2026-03-03")
        assert told.exit_code == 1
        document = json.loads(run("verify", "2026-03-03", "--output", "json").stdout)
        assert what in {proof["what"] for proof in document["proofs"] if not proof["holds"]}
    assert run("verify", "2026-03-03").exit_code == 0


def test_a_report_that_was_changed_with_its_hash_breaks_the_chain(books: Played, run: Run) -> None:
    """Somebody with all rights changes the first night and its hash: the second night still names the old one."""
    with books.owner() as connection:
        ((no, text, sha256),) = connection.execute("select no, report, sha256 from run where day = '2026-03-02'").fetchall()
        forged = text.replace('"netting":"multilateral"', '"netting":"bilateral"')
        connection.execute("set session_replication_role = replica")
        connection.execute("update run set report = %s, sha256 = %s where no = %s", (forged, hashlib.sha256(forged.encode()).hexdigest(), no))
        try:
            assert run("verify", "2026-03-02").exit_code == 0
            later = json.loads(run("verify", "2026-03-03", "--output", "json").stdout)
            assert {(proof["day"], proof["what"]) for proof in later["proofs"] if not proof["holds"]} == {("2026-03-03", "hash of the run before")}
        finally:
            connection.execute("update run set report = %s, sha256 = %s where no = %s", (text, sha256, no))


def test_statements_add_up_to_the_positions_of_the_scenario(books: Played, run: Run) -> None:
    for day in DAYS:
        for party, position in books.outcome["positions"][day]["EUR"].items():
            told = rows(run("statement", party, day, "--format", "csv", "--section", "lines", "--to", "-").stdout)
            assert sum(Decimal(line["amount"]) for line in told) == Decimal(position)
            assert f"Statement of {party}" in run("statement", party, day).output


def test_a_statement_carries_what_waited_into_the_next_night(run: Run) -> None:
    def settled(day: str) -> dict[str, str]:
        document: dict[str, Any] = json.loads(run("statement", "fuelco", day, "--format", "json").stdout)
        return {row["step"]: row["amount"] for row in document["tables"]["settlement"]}

    first, second = settled(DAYS[0]), settled(DAYS[1])
    carried = first["carried on to the next window"]
    assert Decimal(carried) != 0
    assert Decimal(second["carried in from the window before"]) == Decimal(carried), "one sign for one thing: above zero is owed to the party"
    assert "left" not in first


def test_a_statement_is_written_as_a_page_and_as_a_folder(run: Run, tmp_path: Path) -> None:
    assert run("statement", "grocer", DAYS[0], "--format", "html", "--to", tmp_path / "grocer.html").exit_code == 0
    assert "Statement of grocer" in (tmp_path / "grocer.html").read_text(encoding="utf-8")
    assert run("statement", "grocer", DAYS[0], "--format", "csv", "--to", tmp_path / "grocer").exit_code == 0
    assert run("statement", "grocer", DAYS[0], "--output", "json").stdout == run("statement", "grocer", DAYS[0], "--format", "json").stdout
    rejected = rows((tmp_path / "grocer" / "rejected.csv").read_text(encoding="utf-8"))
    assert rejected == [{"code": "below-minimum-redemption", "events": "1"}, {"code": "insufficient-points", "events": "1"}]


def test_a_party_without_any_part_in_the_night_has_a_statement_that_says_so_and_a_stranger_none(run: Run) -> None:
    quiet = run("statement", "bank1", DAYS[0])
    assert (quiet.exit_code, "bank1 has no figures in this window" in quiet.output) == (0, True)
    told = run("statement", "nobody", DAYS[0])
    assert (told.exit_code, "has no party nobody" in told.output) == (1, True)


HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "hand-out-reports.md"


def test_reports_are_handed_out_as_the_guide_says(books: Played, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the guide, on these books instead of its own; what is written bears the hash of the report."""
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^ +clh report (.*)$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 7
    for command in commands:
        told = run(*shlex.split(command.replace(" --programme harvest", "")))
        assert told.exit_code == 0, told.output
    sha256 = stored(books)["2026-03-02"]
    assert hashlib.sha256(Path("report.json").read_bytes()).hexdigest() == sha256
    assert sha256 in Path("report.html").read_text(encoding="utf-8")
    for name in ("report.pdf", "grocer.pdf"):
        pages = [page.extract_text() for page in PdfReader(name).pages]
        assert all(sha256 in text and f"page {number} of {len(pages)}" in text and "not approved yet" in text for number, text in enumerate(pages, start=1))
    for name in ("report.xlsx", "grocer.xlsx"):
        book: Any = openpyxl.load_workbook(name)
        assert all(sha256 in sheet.oddFooter.left.text for sheet in book)
    positions = {row["party"]: Decimal(row["net"]) for row in rows(Path("report-csv", "positions.csv").read_text(encoding="utf-8"))}
    sheet = openpyxl.load_workbook("report.xlsx")["Net positions"]
    read = {row[0]: Decimal(repr(row[4])) for row in sheet.iter_rows(min_row=2, values_only=True) if row[0] != "all parties"}
    assert read == positions == {party: Decimal(amount) for party, amount in books.outcome["positions"]["2026-03-02"]["EUR"].items()}
