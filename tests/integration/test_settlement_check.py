"""`clh settlement check` on books of several nights: earlier runs by their hashes, or recomputed with `--details`; and lists that are cut off at `--last`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.played import Played, played

DAYS = ("2026-03-02", "2026-03-03", "2026-04-30")
OF_EARLIER = {"hash of the stored report", "it is the report of its window", "hash of the run before"}
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def books(addresses: Addresses) -> Iterator[Played]:
    with played(Path(__file__).with_name("three_nights.yaml"), addresses) as one:
        yield one


@pytest.fixture
def run(books: Played, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`clh` on these books."""
    monkeypatch.setenv("CLH_POSTGRES_URI", books.addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", books.addresses.kafka_bootstrap)
    return lambda *words: CliRunner().invoke(app, [*words, "--programme", books.name])


@contextmanager
def changed(books: Played, day: str, change: str) -> Iterator[None]:
    """A stored run changed by somebody with all rights, for the length of a block."""
    with books.owner() as connection:
        connection.execute("set session_replication_role = replica")
        (kept,) = connection.execute("select report, sha256, previous from run where day = %s", (day,)).fetchall()
        assert connection.execute(f"update run set {change} where day = '{day}'").rowcount == 1  # noqa: S608  # of this file
        try:
            yield
        finally:
            connection.execute("update run set report = %s, sha256 = %s, previous = %s where day = %s", (*kept, day))


def test_earlier_runs_are_hashed_and_with_details_recomputed(run: Run) -> None:
    short, full = (json.loads(run("settlement", "check", DAYS[-1], *more, "--output", "json").stdout) for more in ((), ("--details",)))
    assert short["sound"] is full["sound"] is True
    for day in DAYS[:-1]:
        assert {one["what"] for one in short["proofs"] if one["window"] == day} == OF_EARLIER
        assert {one["what"] for one in full["proofs"] if one["window"] == day} == OF_EARLIER | {"the stored text is canonical"}
    newest = [[one["what"] for one in told["proofs"] if one["window"] == DAYS[-1]] for told in (short, full)]
    assert newest[0] == newest[1]
    assert len(newest[0]) > 7
    assert "2 earlier runs hold by their hashes; recomputed in full with --details." in run("settlement", "check", DAYS[-1]).stdout
    told = run("settlement", "check", DAYS[-1], "--details").stdout
    assert told.count("the stored text is canonical") == len(DAYS)
    assert "earlier run" not in told


def test_the_verifier_tells_earlier_windows_in_a_line_and_each_proof_with_details(books: Played, run: Run) -> None:
    short, full = (run("settlement", "verify", DAYS[-1], *more).stdout for more in ((), ("--details",)))
    assert "2 earlier runs hold in all that was recomputed; each proof with --details." in short
    assert (DAYS[0] in short, DAYS[0] in full, "earlier run" in full) == (False, True, False)
    proofs = json.loads(run("settlement", "verify", DAYS[-1], "--output", "json").stdout)["proofs"]
    assert {one["window"] for one in proofs} == set(DAYS)
    with changed(books, DAYS[0], "report = report || ' '"):
        broken = run("settlement", "verify", DAYS[-1])
        assert (broken.exit_code, "hash of the stored report" in broken.stdout, DAYS[0] in broken.stdout) == (1, True, True)


@pytest.mark.parametrize("details", [False, True])
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ('report = replace(report, \'"netting":"multilateral"\', \'"netting":"bilateral"\')', "hash of the stored report"),
        ("report = report || ' '", "hash of the stored report"),
        ("report = replace(report, '2026-03-02', '2026-03-04')", "it is the report of its window"),
        ("report = '[1]'", "the stored text is a report"),
        ("sha256 = repeat('0', 64)", "hash of the stored report"),
        ("report = report || ' ', sha256 = encode(sha256((report || ' ')::bytea), 'hex')", "hash of the run before"),
    ],
)
def test_whoever_changes_an_earlier_run_is_found_out(books: Played, run: Run, change: str, what: str, details: bool) -> None:
    with changed(books, DAYS[0], change):
        done = run("settlement", "check", DAYS[-1], *(["--details"] if details else []), "--output", "json")
        told = json.loads(done.stdout)
        broken = {one["what"] for one in told["proofs"] if not one["holds"]}
        assert (done.exit_code, told["sound"], what in broken) == (1, False, True), broken
        table = run("settlement", "check", DAYS[-1], *(["--details"] if details else []))
        assert (table.exit_code, what in table.stdout) == (1, True)
    assert run("settlement", "check", DAYS[-1]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "key", "what"),
    [(("settlement", "status"), "runs", "runs"), (("report", "list"), "reports", "windows")],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else words,
)
def test_last_shows_so_many_of_the_newest_and_says_how_many_there_are(run: Run, words: tuple[str, ...], key: str, what: str) -> None:
    two = json.loads(run(*words, "--last", "2", "--output", "json").stdout)[key]
    assert [one.get("window", one.get("day")) for one in two] == list(DAYS[1:])
    assert f"2 of 3 {what}; --last 3 shows all" in run(*words, "--last", "2").stdout
    assert "--last" not in run(*words, "--last", "3").stdout
    assert len(json.loads(run(*words, "--last", "3", "--output", "json").stdout)[key]) == len(DAYS)
