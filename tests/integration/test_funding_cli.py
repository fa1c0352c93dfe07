"""`clh funding` as people type it: who confirms says what it is that is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.journal.headroom import funds_of
from services.runtime.local import Addresses
from tests.coalition import coalition
from tests.signers import MONDAY, Signers

Run = Callable[..., Result]


@pytest.fixture
def signers(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signers]:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)
    with coalition(addresses, day=MONDAY) as one:
        people = Signers(one)
        people.enrol("mia", "carl", "emil")
        people.pem("mia", "carl", "emil")
        yield people


@pytest.fixture
def funding(signers: Signers) -> Run:
    """`clh funding` on these books, by somebody who signs."""

    def run(*words: str, by: str) -> Result:
        signed = ("--as", by, "--key", f"{by}.pem", "--passphrase-file", "passphrase", "--programme", signers.one.id)
        return CliRunner().invoke(app, ["funding", *words, *signed])

    return run


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.output
    return result


def balances(signers: Signers) -> dict[tuple[str, str], int]:
    with signers.one.books() as books:
        return {(str(party), currency): amount for (party, currency), amount in funds_of(books).items()}


def test_who_confirms_says_which_way_the_money_goes(signers: Signers, funding: Run) -> None:
    """A pay-out that somebody proposes under the words of another's payment in is not confirmed in its place."""
    opening = ("fuelco", "700.00", "EUR", "--reference", "opening")
    done(funding("add", *opening, by="mia"))
    done(funding("confirm", *opening, "--paid-in", by="carl"))
    both = ("fuelco", "500.00", "EUR", "--reference", "2026-041")
    done(funding("add", *both, by="mia"))
    proposed = done(funding("pay-out", *both, by="emil"))
    assert "clh funding confirm --paid-out" in proposed.stdout
    assert funding("confirm", *both, by="carl").exit_code == 2
    assert balances(signers) == {("fuelco", "EUR"): 70000}
    done(funding("confirm", *both, "--paid-in", by="carl"))
    assert balances(signers) == {("fuelco", "EUR"): 120000}
    done(funding("confirm", *both, "--paid-out", by="carl"))
    assert balances(signers) == {("fuelco", "EUR"): 70000}


def test_what_will_be_signed_is_shown_before_the_key_is_asked_for(signers: Signers, funding: Run) -> None:
    about = ("fuelco", "7.00", "EUR", "--reference", "rf18 5390 0754 7034")
    done(funding("add", *about, by="mia"))
    Path("carl.pem").write_text("no key", encoding="utf-8")
    refused = funding("confirm", *about, "--paid-in", by="carl")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("carl signs: 7.00 EUR of fuelco paid in under RF18539007547034.")
    assert balances(signers) == {}


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("A" * 36, "a reference has at most 35 characters, and this one 36"),
        ("Ab" * 4500, "and this one 9,000"),
        ("APRIL\u200b", "a character that is not seen, U+200B"),
        ("A\u202ePRIL", "U+202E"),
        ("A\u0007PRIL", "U+0007"),
    ],
    ids=["long", "longer", "no width", "turned", "control"],
)
def test_references_are_as_banks_carry_them_and_what_is_seen(reference: str, says: str, signers: Signers, funding: Run) -> None:
    refused = funding("add", "fuelco", "5.00", "EUR", "--reference", reference, by="mia")
    assert (refused.exit_code, says in refused.output, "[reference-not-plain]" in refused.output) == (1, True, True), refused.output
    kept = "A" * 35
    done(funding("add", "fuelco", "5.00", "EUR", "--reference", f" {kept}\u00a0", by="mia"))
    done(funding("confirm", "fuelco", "5.00", "EUR", "--reference", kept, "--paid-in", by="carl"))
    assert balances(signers) == {("fuelco", "EUR"): 500}
