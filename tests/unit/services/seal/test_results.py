"""The result of a settled window: who signed it and what was paid is proved from the export alone, and whoever signed for others is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clearing.seal import canonical
from services.seal.container import CHAIN, RESULT
from tests.seals import PAYMENT, PEOPLE, SIGNED, Key, auditor, both, export_of, key_file, said, sealed, settled, window_of_leaves

Members = dict[str, bytes]
ADA, BOB, CEM = SIGNED


@pytest.fixture(scope="module")
def module() -> Any:
    return auditor()


@pytest.mark.parametrize("party", ["fuelco", "grocer", "opco"])
def test_the_result_of_a_settled_window_is_proved_to_everyone_with_its_own_payments(party: str, module: Any, tmp_path: Path) -> None:
    members: Members = {}
    path = export_of(settled(sealed(window_of_leaves())), party, tmp_path, members.update)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert (verdict.problems, problems, verdict.settled) == ([], [], True)
    told = json.loads(members[RESULT])
    assert {name: [one["id"] for one in own] for name, own in told["payments"].items()} == (
        {"fuelco": [PAYMENT["id"]], "grocer": [], "opco": [PAYMENT["id"]]} if party == "opco" else {party: [PAYMENT["id"]] if party == "fuelco" else []}
    )


def test_before_a_window_is_settled_nothing_is_told_of_a_result(module: Any, tmp_path: Path) -> None:
    members: Members = {}
    path = export_of(sealed(window_of_leaves()), "grocer", tmp_path, members.update)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert (verdict.problems, problems, verdict.settled, members[RESULT]) == ([], [], False, b"null")


WRONGLY_SIGNED = {
    "maker approves": (ADA, said("ada", "approve"), BOB),
    "one checker twice": (ADA, BOB, BOB),
    "two names, one key": (ADA, BOB, said("cem", "approve", PEOPLE["bob"])),
    "one approval": (ADA, BOB),
    "nobody submitted": (BOB, CEM),
    "nobody": (),
    "approved before submitted": (BOB, ADA, CEM),
    "a rejection": (ADA, BOB, said("cem", "reject")),
    "of another run": (ADA, BOB, said("cem", "approve", run=2)),
    "of another report": (ADA, BOB, said("cem", "approve", report_sha256="00" * 32)),
    "of another window": (ADA, BOB, said("cem", "approve", window="2026-03-01")),
    "of another programme": (ADA, BOB, said("cem", "approve", programme="other")),
    "with another's key": (ADA, BOB, {**CEM, "public_key": Key(24).public.hex()}),
    "other words than signed": (ADA, BOB, {**CEM, "statement": {**CEM["statement"], "at": "2026-03-04T08:00:00.000000+00:00"}}),
}


@pytest.mark.parametrize("what", WRONGLY_SIGNED)
def test_a_result_that_was_not_signed_by_a_maker_and_two_others_is_found_though_the_house_has_sealed_it(what: str, module: Any, tmp_path: Path) -> None:
    path = export_of(settled(sealed(window_of_leaves()), WRONGLY_SIGNED[what]), "grocer", tmp_path)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert {problem.file for problem in verdict.problems} == {RESULT}
    assert {problem.split(":")[0] for problem in problems} == {RESULT}


def changed(members: Members, change: dict[str, Any]) -> None:
    members[RESULT] = canonical(json.loads(members[RESULT]) | change)


TAMPERED: dict[str, dict[str, Any] | None] = {
    "a payment is left out": {"payments": {"fuelco": []}},
    "an amount is altered": {"payments": {"fuelco": [{**PAYMENT, "amount_minor": 43}]}},
    "a payment is another's": {"payments": {"fuelco": [{**PAYMENT, "payee": "grocer"}]}},
    "payments of nobody": {"payments": {}, "paths": {}},
    "signatures are exchanged": {"signatures": [ADA, CEM, BOB]},
    "nothing is told": None,
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_result_that_was_altered_after_sealing_is_found(what: str, module: Any, tmp_path: Path) -> None:
    def tamper(members: Members) -> None:
        if (change := TAMPERED[what]) is None:
            members[RESULT] = b"null"
        else:
            changed(members, change)

    path = export_of(settled(sealed(window_of_leaves())), "fuelco", tmp_path, tamper)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert RESULT in {problem.file for problem in verdict.problems}
    assert RESULT in {problem.split(":")[0] for problem in problems}


def test_a_result_without_its_head_in_the_chain_is_found(module: Any, tmp_path: Path) -> None:
    def shortened(members: Members) -> None:
        members[CHAIN] = b"".join(members[CHAIN].splitlines(keepends=True)[:-1])

    path = export_of(settled(sealed(window_of_leaves())), "fuelco", tmp_path, shortened)
    verdict, problems = both(path, key_file(tmp_path), module)
    assert {CHAIN, RESULT} <= {problem.file for problem in verdict.problems}
    assert {CHAIN, RESULT} <= {problem.split(":")[0] for problem in problems}


def test_two_parties_that_are_told_other_things_of_one_payment_are_found(tmp_path: Path, module: Any) -> None:
    of = settled(sealed(window_of_leaves()))
    assert of.result is not None
    other = {**of.result, "payments": {**of.result["payments"], "fuelco": [{**PAYMENT, "amount_minor": 41}]}}
    path = export_of(settled(sealed(window_of_leaves()), payments=()), "opco", tmp_path)
    assert both(path, key_file(tmp_path), module)[0].problems == []
    of.result = other
    verdict, problems = both(export_of(of, "opco", tmp_path), key_file(tmp_path), module)
    assert any("is not told by" in problem.what for problem in verdict.problems)
    assert any("fuelco" in problem for problem in problems)
