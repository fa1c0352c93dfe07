"""The result of a settled window in the same chain as its entries: sealed once, by the next night or by hand, and proved from the export alone."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from clearing.approval import Action
from services.cli.main import app
from services.journal.migrate import connect, schema_of
from services.night.run import _clear_all
from services.runtime.local import Addresses
from services.seal.errors import NotSealed, NotSettled
from services.seal.export import export
from services.seal.keys import FileSigner, generate
from services.seal.results import seal_result, seal_results_due
from services.seal.sealing import seal_due
from tests.coalition import coalition
from tests.seals import auditor, both
from tests.signers import MONDAY, Signers, netted, shop


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    generate(folder / "seal-key.pem", folder / "house-keys.txt", "first")
    return folder


@pytest.fixture
def approved(addresses: Addresses) -> Iterator[Signers]:
    """Monday is approved by two people beside its maker."""
    with coalition(addresses, day=MONDAY) as one:
        shop(one)
        with netted(one, MONDAY) as people:
            for action, person in ((Action.SUBMIT, "mia"), (Action.APPROVE, "carl"), (Action.APPROVE, "dora")):
                people.say(action, person)
            yield people


def settle(signers: Signers, addresses: Addresses) -> None:
    """As if the bank's statements had shown every payment: what leads there is tested elsewhere."""
    with connect(addresses.postgres_uri, schema_of(signers.one.id), role=None, autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute("update settlement_window set state = 'settled' where day = %s", (MONDAY,))


def told(path: Path) -> Any:
    """What an export says of the result."""
    with tarfile.open(path) as archive:
        file = archive.extractfile("result.json")
        assert file is not None
        return json.loads(file.read())


def test_the_result_of_a_settled_window_is_sealed_behind_its_entries_and_exported_with_both_heads(
    approved: Signers, keys: Path, addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, target = FileSigner(keys / "seal-key.pem"), tmp_path / "opco.tar"
    with connect(addresses.postgres_uri, schema_of(approved.one.id), autocommit=True) as books:
        with pytest.raises(NotSettled):
            seal_result(books, signer, MONDAY)
        assert seal_due(books, signer) == [MONDAY]
        assert seal_results_due(books, signer) == []
        before = export(books, MONDAY, "opco", signer, target)
        assert told(target) is None
        settle(approved, addresses)
        monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
        monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
        monkeypatch.setenv("CLH_SEAL_KEY", str(keys / "seal-key.pem"))
        night: Any = SimpleNamespace(connection=books, plan=SimpleNamespace(zone=UTC))  # nothing is due: only what is to be sealed
        assert _clear_all(night, datetime.now(UTC), lambda _: None, half_done_only=True) == []
        assert books.execute("select settled, count(*) from seal group by 1 order by 1").fetchall() == [(False, 1), (True, 1)]
        assert not seal_result(books, signer, MONDAY)
        assert seal_due(books, signer) == []
        for party in ("opco", "grocer", "fuelco"):
            head = export(books, MONDAY, party, signer, target)
            verdict, problems = both(target, keys / "house-keys.txt", auditor(), before)
            assert (verdict.problems, problems, verdict.settled, verdict.head_sha256) == ([], [], True, head)
            result = told(target)
            assert [(one["statement"]["action"], one["statement"]["person"]) for one in result["signatures"]] == [
                ("submit", "mia"), ("approve", "carl"), ("approve", "dora"),
            ]  # fmt: skip
            kept = books.execute("select id, amount from payment where %s in (payer, payee) or %s = 'opco' order by id", (party, party)).fetchall()
            assert [(one["id"], one["amount_minor"]) for one in result["payments"][party]] == kept
        shown = CliRunner().invoke(app, ["seal", "show", "--programme", approved.one.id, "--output", "json"], catch_exceptions=False)
        assert [one["of"] for one in json.loads(shown.output)["seals"]] == ["window", "result"]


def test_a_result_is_not_sealed_before_the_entries_of_its_run(approved: Signers, keys: Path, addresses: Addresses) -> None:
    settle(approved, addresses)
    with connect(addresses.postgres_uri, schema_of(approved.one.id), autocommit=True) as books:
        with pytest.raises(NotSealed):
            seal_result(books, FileSigner(keys / "seal-key.pem"), MONDAY)
        assert seal_results_due(books, FileSigner(keys / "seal-key.pem")) == []


def test_a_sealed_result_cannot_be_changed(approved: Signers, keys: Path, addresses: Addresses) -> None:
    signer = FileSigner(keys / "seal-key.pem")
    settle(approved, addresses)
    with connect(addresses.postgres_uri, schema_of(approved.one.id), role=None, autocommit=True) as owner:
        seal_due(owner, signer)
        assert seal_results_due(owner, signer) == [MONDAY]
        for change in ("update seal_result set content = content", "delete from seal_result", "truncate seal_result"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(change)
