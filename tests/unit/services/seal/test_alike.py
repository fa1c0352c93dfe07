"""What somebody inside has sealed and signed wrongly from the start is found by both verifiers, and both read the same file of keys: neither takes more."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pytest
from msgspec import structs

from clearing.merkle import root_of
from clearing.seal import HEAD_CONTEXT, canonical, commitment, head_of, key_id, payments_leaf, ranged, sha256
from schemas.money import currency_places, is_currency
from services.seal.container import CHAIN, ENTRIES, PROOF, RESULT, STATEMENT
from services.seal.errors import BadKey
from services.seal.export import told
from services.seal.keys import public_keys
from services.seal.leaves import Leaf, made
from services.seal.verify import verify
from tests.seals import (
    HOUSE,
    ISSUE,
    PAYMENT,
    PROGRAMME,
    RUN,
    SIGNED,
    SPENT,
    VERIFIER,
    WINDOW,
    Key,
    Sealed,
    auditor,
    both,
    event,
    export_of,
    key_file,
    line,
    said,
    sealed,
    settled,
    window_of_leaves,
)

Leaves = dict[str, list[Leaf]]
ADA, BOB, CEM = SIGNED
ELSEWHERE = [*SPENT[:2], "2026-02-01", *SPENT[3:]]
"""A key on which no line rests."""


@pytest.fixture(scope="module")
def module() -> Any:
    return auditor()


def lines_with(number: int, **other: Any) -> Callable[[Leaves], None]:
    """A line says something else, to both of its sides."""

    def change(leaves: Leaves) -> None:
        for party, own in leaves.items():
            leaves[party] = [relined(leaf, number, other) for leaf in own]

    return change


def relined(leaf: Leaf, number: int, other: dict[str, Any]) -> Leaf:
    if leaf.kind != "line" or leaf.key != str(number):
        return leaf
    return made(leaf.party, "line", leaf.key, json.loads(leaf.body) | other)


def entry_with(body: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Leaves], None]:
    """The first entry of the grocer says something else."""

    def change(leaves: Leaves) -> None:
        own = leaves["grocer"]
        at = next(at for at, leaf in enumerate(own) if leaf.kind == "entry")
        own[at] = made("grocer", "entry", own[at].key, body(json.loads(own[at].body)), canonical({}))

    return change


def appended(party: str, leaf: Callable[[], Leaf]) -> Callable[[Leaves], None]:
    def change(leaves: Leaves) -> None:
        leaves[party].append(leaf())

    return change


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def one_side_of_a_line(leaves: Leaves) -> None:
    leaves["fuelco"] = [leaf for leaf in leaves["fuelco"] if leaf.kind != "line"]


def other_amounts(leaves: Leaves) -> None:
    for party, points in (("fuelco", 4), ("grocer", 5)):
        leaves[party].append(event(party, 7, "grocer", [[*ELSEWHERE, points]]))


def salted(leaves: Leaves) -> None:
    own, salt = leaves["grocer"], bytes(16)
    own[3] = structs.replace(own[3], salt=salt, personal=b"null", committed=commitment(salt, b"null"))


def moved(*moves: list[Any]) -> Callable[[], Leaf]:
    return lambda: made("grocer", "night", "7/1", {"expiry": None, "earned": None, "moves": list(moves)})


NIGHT: dict[str, Any] = {"expiry": None, "earned": None, "moves": []}


def night(key: str, **more: Any) -> Leaf:
    return made("grocer", "night", key, NIGHT | more)


def monthly(number: float) -> dict[str, Any]:
    return line(0, kind="fee", detail="monthly", quantity=1, unit_price="500", amount_minor=50_000, events=None) | {"line": number}


def another_line(number: int, of: int) -> Callable[[Leaves], None]:
    """A line stands there again under another number, with both of its sides."""

    def change(leaves: Leaves) -> None:
        for party, own in leaves.items():
            same = [made(party, "line", str(number), json.loads(leaf.body) | {"line": number}) for leaf in own if leaf.kind == "line" and leaf.key == str(of)]
            at = next((at for at, leaf in enumerate(own) if leaf.kind == "entry"), len(own))
            leaves[party] = [*own[:at], *same, *own[at:]]

    return change


def entry_again(between: str) -> Callable[[Leaves], None]:
    """The first entry is there again, behind one of elsewhere."""

    def change(leaves: Leaves) -> None:
        first = next(leaf for leaf in leaves["grocer"] if leaf.kind == "entry")
        other = made("grocer", "entry", between, json.loads(event("grocer", 9, "grocer", []).body))
        leaves["grocer"] += [other, structs.replace(first)]

    return change


def unowed(leaves: Leaves) -> None:
    """Cash-back that its funder does not owe."""
    for party in ("fuelco", "grocer"):
        leaves[party].append(event(party, 9, "grocer", [[25, "grocer", None, "fuelco", None, "EUR", 120]]))


SEALED_WRONGLY: dict[str, tuple[str, Callable[[Leaves], None]]] = {
    "a transfer that the other side has not": ("grocer", appended("grocer", lambda: event("grocer", 7, "grocer", [[*ELSEWHERE, 5]]))),
    "a transfer of which the other side tells less": ("grocer", other_amounts),
    "a line that the other side has not": ("opco line 3", one_side_of_a_line),
    "a total named twice": ("grocer line 2", lines_with(2, sources=[ISSUE, ISSUE])),
    "a total of four names": ("", lines_with(2, sources=[ISSUE, SPENT[:4]])),
    "a line under another number": ("grocer line 8", appended("grocer", lambda: made("grocer", "line", "8", line(2)))),
    "a minimum that was reached": ("opco line 1", lines_with(1, kind="fee", basis={"minimum_minor": "5", "paid_minor": "6"})),
    "a percentage of more than a line has": ("opco line 0", lines_with(0, quantity=900, basis={"percent": "5", "of": [[1, "54"]]})),
    "a field more in an entry": ("grocer entry", entry_with(lambda body: body | {"more": "x"})),
    "a field less in an entry": ("grocer entry", entry_with(lambda body: without(body, "code"))),
    "a number for an outcome": ("grocer entry", entry_with(lambda body: body | {"outcome": 1})),
    "a number for a sender": ("grocer entry", entry_with(lambda body: body | {"sender": 1})),
    "a list for a source": ("grocer entry", entry_with(lambda body: body | {"source": ["x"]})),
    "a half of a point": ("grocer", entry_with(lambda body: body | {"moves": [[*ISSUE, 53.0]]})),
    "true for one": ("grocer night", appended("grocer", moved([*ISSUE, True], [*ISSUE, -1]))),
    "a code that is true": ("grocer night", appended("grocer", moved([True, *ISSUE[1:], 1], [*ISSUE, -1]))),
    "a movement with something more": ("grocer night", appended("grocer", moved([*ELSEWHERE[:3], None, *ELSEWHERE[4:], 0, 1]))),
    "a number for a counterparty": ("grocer night", appended("grocer", moved([*ISSUE[:3], 5, *ISSUE[4:], 0]))),
    "no unit": ("grocer night", appended("grocer", moved([*ISSUE[:5], None, 0]))),
    "a salt for nothing": ("grocer line 2", salted),
    "a fee that rests on itself": ("grocer line 0", lines_with(0, amount_minor=999_999, basis={"percent": "5", "of": [[0, "999999"]] * 20})),
    "a tax that rests on itself": ("grocer line 1", lines_with(1, amount_minor=10**6, basis={"percent": "100", "of": [[1, "1000000"]]})),
    "a line that counts twice": ("opco line 0", lines_with(0, amount_minor=5, basis={"percent": "5", "of": [[2, "54"], [2, "54"]]})),
    "a quantity at a price beside a percentage": ("grocer line 0", lines_with(0, quantity=10**9, unit_price="1.00")),
    "a quantity beside a percentage": ("grocer line 0", lines_with(0, quantity=777)),
    "a quantity without a price": ("grocer line 2", lines_with(2, unit_price=None, quantity=999_999)),
    "a number of events of a percentage": ("grocer line 0", lines_with(0, events=3)),
    "more events than entries": ("grocer line 2", lines_with(2, events=999)),
    "no event of entries": ("grocer line 2", lines_with(2, events=None)),
    "a line the other way": ("grocer line 2", lines_with(2, debtor="opco", creditor="grocer")),
    "a line of another kind": ("grocer line 2", lines_with(2, kind="redemption")),
    "a line to itself": ("grocer line 2", lines_with(2, creditor="grocer")),
    "a fee in another currency": ("grocer line 0", lines_with(0, currency="USD")),
    "the same charge twice": ("grocer line 4", another_line(4, 2)),
    "the same tax twice": ("grocer line 4", another_line(4, 1)),
    "other places than the currency has": ("grocer line 2", lines_with(2, places=4, amount_minor=5400)),
    "a currency that is none": ("grocer line 2", lines_with(2, currency="ZZZ")),
    "more places than can be": ("grocer line 2", lines_with(2, places=9_999_999_999_999)),
    "a price that has no end": ("grocer line 2", lines_with(2, unit_price="1e99999999")),
    "a percent that has no end": ("grocer line 0", lines_with(0, basis={"percent": "1e-99999999", "of": [[2, "54"]]})),
    "what counts has no end": ("grocer line 0", lines_with(0, basis={"percent": "5", "of": [[2, "1e99999999"]]})),
    "a minimum that has no end": (
        "grocer line 1",
        lines_with(1, kind="fee", detail="monthly_minimum", basis={"minimum_minor": "1e99999999", "paid_minor": "1"}),
    ),
    "an entry twice with one of another partition between": ("grocer entry partner.transactions.v1/0/0", entry_again("partner.transactions.v1/1/0")),
    "an entry twice with one of another topic between": ("grocer entry partner.transactions.v1/0/0", entry_again("others.v1/0/0")),
    "an amount with a dot": ("grocer line 2", lines_with(2, amount_minor=54.0)),
    "true for an amount": ("grocer line 1", lines_with(1, amount_minor=True)),
    "true for the number of a line": ("grocer line True", appended("grocer", lambda: made("grocer", "line", "True", line(2) | {"line": True}))),
    "a line 2.0 beside line 2": ("grocer line 2.0", appended("grocer", lambda: made("grocer", "line", "2.0", monthly(2.0)))),
    "a line below zero": ("grocer line -2", appended("grocer", lambda: made("grocer", "line", "-2", monthly(-2)))),
    "a large number with an exponent": ("grocer night 7/1", appended("grocer", lambda: night("7/1", f=1e16))),
    "a small number with an exponent": ("grocer night 7/1", appended("grocer", lambda: night("7/1", f=1e-7))),
    "a field more in a row of the night": ("grocer night 7/1", appended("grocer", lambda: night("7/1", more="x"))),
    "a quote in a key": ("", appended("grocer", lambda: made("grocer", "entry", 'q"x/0/9', json.loads(event("grocer", 9, "grocer", []).body)))),
    "a digit that is none": ("grocer night 7/²", appended("grocer", lambda: night("7/²"))),
    "a number with zeros before it in a key": ("grocer night 7/01", appended("grocer", lambda: night("7/01"))),
    "a list of what is said of a person": ("", appended("grocer", lambda: made("grocer", "night", "7/1", NIGHT, b"[1]"))),
    "a sum of amounts without a line": ("grocer lines", unowed),
}


@pytest.mark.parametrize("what", SEALED_WRONGLY)
def test_what_was_sealed_wrongly_is_found_by_both_at_the_same_entry(what: str, module: Any, tmp_path: Path) -> None:
    where, change = SEALED_WRONGLY[what]
    leaves = window_of_leaves()
    change(leaves)
    verdict, problems = both(export_of(sealed(leaves), "opco", tmp_path), key_file(tmp_path), module)
    assert any(problem.file == ENTRIES and where in f"{problem.entry} {problem.what}" for problem in verdict.problems), verdict.problems
    assert any(problem.startswith(ENTRIES) and where in problem for problem in problems), problems


def test_a_movement_that_both_sides_tell_alike_holds(module: Any, tmp_path: Path) -> None:
    leaves = window_of_leaves()
    for party in ("fuelco", "grocer"):
        leaves[party].append(event(party, 7, "grocer", [[*ELSEWHERE, 5]]))
    verdict, problems = both(export_of(sealed(leaves), "opco", tmp_path), key_file(tmp_path), module)
    assert (verdict.problems, problems) == ([], [])


FIRST: dict[str, Any] = {"accounts_sha256": "11" * 32}
SECOND: dict[str, Any] = {"accounts_sha256": "22" * 32}
ID = str(PAYMENT["id"])
RESULTS: dict[str, tuple[bool, tuple[dict[str, Any], ...]]] = {
    "of one maker and two checkers": (True, SIGNED),
    "for the same accounts": (True, (said("ada", "submit", **FIRST), said("bob", "approve", **FIRST), said("cem", "approve", **FIRST))),
    "by a maker before accounts were signed": (True, (ADA, said("bob", "approve", **FIRST), said("cem", "approve", **FIRST))),
    "by a maker for other accounts": (False, (said("ada", "submit", **SECOND), said("bob", "approve", **FIRST), said("cem", "approve", **FIRST))),
    "by checkers for different accounts": (False, (said("ada", "submit", **FIRST), said("bob", "approve", **FIRST), said("cem", "approve", **SECOND))),
    "by three checkers": (False, (*SIGNED, said("dan", "approve", HOUSE))),
}


@pytest.mark.parametrize("what", RESULTS)
def test_a_result_is_taken_or_refused_by_both(what: str, module: Any, tmp_path: Path) -> None:
    holds, signed = RESULTS[what]
    verdict, problems = both(export_of(settled(sealed(window_of_leaves()), signed), "grocer", tmp_path), key_file(tmp_path), module)
    assert ({problem.file for problem in verdict.problems}, {problem.split(":")[0] for problem in problems}) == (
        (set(), set()) if holds else ({RESULT}, {RESULT})
    )


def test_a_payment_that_the_other_side_does_not_tell_is_found_by_both(module: Any, tmp_path: Path) -> None:
    lopsided = with_payments({"opco": [PAYMENT], "fuelco": [], "grocer": []})
    verdict, problems = both(export_of(lopsided, "opco", tmp_path), key_file(tmp_path), module)
    assert [(problem.file, ID in problem.what) for problem in verdict.problems] == [(RESULT, True)]
    assert [(problem.split(":")[0], ID in problem) for problem in problems] == [(RESULT, True)]


@pytest.mark.parametrize("other", [{"amount_minor": -1}, {"amount_minor": 0}, {"currency": "ZZZ"}, {"payee": "opco"}, {"amount_minor": True}, {"more": 1}])
def test_a_payment_that_nobody_can_have_made_is_found_by_both(other: dict[str, Any], module: Any, tmp_path: Path) -> None:
    verdict, problems = both(export_of(settled(sealed(window_of_leaves()), payments=(PAYMENT | other,)), "opco", tmp_path), key_file(tmp_path), module)
    assert {problem.file for problem in verdict.problems} == {RESULT}
    assert {problem.split(":")[0] for problem in problems} == {RESULT}


def with_payments(payments: dict[str, list[dict[str, Any]]]) -> Sealed:
    """A result whose root is that of these payments, whatever the sides tell."""
    of = sealed(window_of_leaves())
    root = root_of((payments_leaf(party, canonical(some)) for party, some in sorted(payments.items())), ranged).hash
    run = {name: RUN[name] for name in ("run", "report_sha256")}
    head = head_of(PROGRAMME, WINDOW, len(of.heads) + 1, root, 3, run, of.head, key_id(HOUSE.public), sha256(canonical(list(SIGNED))))
    return replace(of, heads=[*of.heads, (head.decode(), HOUSE.sign(HEAD_CONTEXT + head))], result={"signatures": list(SIGNED), "payments": payments})


def capitals(content: bytes) -> bytes:
    rows = [json.loads(row) for row in content.splitlines()]
    return b"".join(canonical(row | {"signature": row["signature"].upper()}) + b"\n" for row in rows)


WRITTEN_OTHERWISE: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a signature in capitals": (CHAIN, capitals),
    "no head": (CHAIN, lambda _: b""),
    "a word more in the result": (RESULT, lambda content: canonical(json.loads(content) | {"more": 1})),
}


@pytest.mark.parametrize("what", WRITTEN_OTHERWISE)
def test_a_file_that_is_not_in_its_one_form_is_found_by_both(what: str, module: Any, tmp_path: Path) -> None:
    file, change = WRITTEN_OTHERWISE[what]

    def tamper(members: dict[str, bytes]) -> None:
        members[file] = change(members[file])

    verdict, problems = both(export_of(settled(sealed(window_of_leaves())), "grocer", tmp_path, tamper), key_file(tmp_path), module)
    assert file in {problem.file for problem in verdict.problems}
    assert file in {problem.split(":")[0] for problem in problems}


def rewritten(field: str, old: bytes, new: bytes) -> Callable[[Leaf], Leaf]:
    """An entry is written in other bytes."""

    def change(leaf: Leaf) -> Leaf:
        before: bytes = getattr(leaf, field)
        assert old in before
        after = before.replace(old, new, 1)
        return structs.replace(leaf, body=after) if field == "body" else structs.replace(leaf, personal=after, committed=commitment(leaf.salt or b"", after))

    return change


SEALED_OTHERWISE = {
    "a letter as its number": rewritten("body", b'"e0"', rb'"\u00650"'),
    "a slash behind a backslash": rewritten("body", b'"/partners', rb'"\/partners'),
    "a tab by its number": rewritten("body", b'"e0"', rb'"\u0009"'),
    "a control character in capitals": rewritten("body", b'"e0"', rb'"\u001F"'),
    "a control character as it is": rewritten("body", b'"e0"', b'"\x01"'),
    "half of a pair": rewritten("body", b'"e0"', rb'"\ud83d"'),
    "no UTF-8": rewritten("body", b'"e0"', b'"\xff"'),
    "a space": rewritten("body", b'"code":null', b'"code": null'),
    "a field twice": rewritten("body", b'"code":null', b'"code":null,"code":null'),
    "fields in another order": rewritten("body", b'"code":null,"event_day":"2026-03-02"', b'"event_day":"2026-03-02","code":null'),
    "a space between movements": rewritten("body", b'[[1,"grocer"', b'[[1, "grocer"'),
    "minus nothing": rewritten("body", b'"moves":[[1,', b'"moves":[[-0,'),
    "a number with a dot": rewritten("body", b',53]]', b',53.0]]'),
    "a number with zeros before it": rewritten("body", b',53]]', b',053]]'),
    "more behind the movements": rewritten("body", b',53]]', b',53]],"more":[]'),
    "more of a person": rewritten("personal", b'"card":', b'"card": '),
    "a letter of a person as its number": rewritten("personal", b'"m1"', rb'"\u006d1"'),
    "of a person in another order": rewritten("personal", b'"card":"hc-0","content"', b'"content":"x","card"'),
}  # fmt: skip


@pytest.mark.parametrize("what", SEALED_OTHERWISE)
def test_an_entry_that_was_sealed_in_other_bytes_than_those_of_its_one_form_is_found_by_both(what: str, module: Any, tmp_path: Path) -> None:
    leaves = window_of_leaves()
    at = next(at for at, leaf in enumerate(leaves["grocer"]) if leaf.kind == "entry")
    honest = leaves["grocer"][at]
    other = SEALED_OTHERWISE[what](honest)
    of = sealed(leaves | {"grocer": [*leaves["grocer"][:at], other, *leaves["grocer"][at + 1 :]]})

    def tamper(members: dict[str, bytes]) -> None:
        before, after = (canonical(told(leaf, disclosed=True)) for leaf in (honest, other))
        assert before in members[ENTRIES]
        members[ENTRIES] = members[ENTRIES].replace(before, after)

    verdict, problems = both(export_of(replace(of, leaves=leaves), "grocer", tmp_path, tamper), key_file(tmp_path), module)
    named = "grocer entry partner.transactions.v1/0/0"
    assert (verdict.problems[0].entry or "").startswith((named, "line ")), verdict.problems
    assert problems[0].startswith((f"{ENTRIES}: {named}", f"{ENTRIES}: line ")), problems


@pytest.mark.parametrize(
    "id_", ['"', "\\", '\\"', "\t\n\r\b\f", "\x00\x01\x1f", "\x7f", "é", "\u2028", "😀", "/", "", '"},"committed":"x"', ",53]]", '{"a":[1]}']
)
def test_an_entry_whose_sender_named_it_oddly_holds_for_both(id_: str, module: Any, tmp_path: Path) -> None:
    leaves = window_of_leaves()
    entry_with(lambda body: body | {"id": id_, "source": id_})(leaves)
    own = leaves["grocer"]
    at = next(at for at, leaf in enumerate(own) if leaf.kind == "entry")
    own[at] = made("grocer", "entry", own[at].key, json.loads(own[at].body), canonical({"card": id_, "content": None, "member": id_}))
    verdict, problems = both(export_of(sealed(leaves), "grocer", tmp_path), key_file(tmp_path), module)
    assert (verdict.problems, problems) == ([], [])


DIGITS = HOUSE.public.hex()
KEY_FILES = {
    "digits alone": (True, f"{DIGITS}\n"),
    "capitals": (True, f"{DIGITS.upper()} first\n"),
    "a space before it": (True, f"  {DIGITS} first\n"),
    "a tab behind it": (True, f"{DIGITS}\tfirst"),
    "a remark with a space before it": (True, f" # keys\n\n{DIGITS}\r\n"),
    "a letter behind it": (False, f"{DIGITS}x\n"),
    "63 digits": (False, f"{DIGITS[1:]} first\n"),
    "spaces between the digits": (False, f"{DIGITS[:31]} {DIGITS[31:62]} \n"),
    "a second line that is no key": (False, f"{DIGITS}\nkey\n"),
    "remarks alone": (False, "# none\n"),
    "nothing": (False, ""),
    "no ASCII": (False, f"{DIGITS} schlüssel\n"),
}


@pytest.mark.parametrize("what", KEY_FILES)
def test_a_file_of_keys_is_read_or_refused_by_both(what: str, module: Any, tmp_path: Path) -> None:
    good, text = KEY_FILES[what]
    path, keys = export_of(sealed(window_of_leaves()), "grocer", tmp_path), tmp_path / "keys.txt"
    keys.write_text(text, encoding="utf-8", newline="")
    if good:
        verdict, problems = both(path, keys, module)
        assert (verdict.problems, problems) == ([], [])
    else:
        with pytest.raises(BadKey):
            public_keys(keys)
        with pytest.raises(ValueError):  # noqa: PT011  # it prints what is wrong with the file
            module.Export(path, keys)


def test_points_for_which_no_line_is_there_are_told_by_both_since_no_export_can_tell_whether_they_have_a_price(module: Any, tmp_path: Path) -> None:
    leaves = window_of_leaves()
    for party in leaves:
        leaves[party] = [leaf for leaf in leaves[party] if (leaf.kind, leaf.key) != ("line", "3")]
    path, keys = export_of(sealed(leaves), "fuelco", tmp_path), key_file(tmp_path)
    verdict = verify(path, public_keys(keys))
    export = module.Export(path, keys)
    assert (verdict.problems, export.problems) == ([], [])
    told = "its contract says whether that has a price; this export cannot tell"
    total = "redemption in points of sponsor grocer (contract 2026-01-01) with counterparty fuelco (contract 2026-01-01)"
    assert verdict.notes == [f"fuelco has no line for what was booked as {total}: {told}"]
    (note,) = export.notes
    assert note.startswith("fuelco has no line for code 3 in points, of sponsor grocer")
    assert note.endswith(told)


def test_both_know_the_same_currencies(module: Any) -> None:
    codes = ["".join(letters) for letters in product(ascii_uppercase, repeat=3)]
    assert {code: currency_places(code) for code in codes if is_currency(code)} == module.PLACES


FOR_ANOTHER: dict[str, tuple[str, bytes, bytes]] = {
    "true in the statement": (STATEMENT, b'"amount_minor":1,', b'"amount_minor":true,'),
    "a dot in the statement": (STATEMENT, b'"amount_minor":54,', b'"amount_minor":54.0,'),
    "an exponent in the statement": (STATEMENT, b'"amount_minor":54,', b'"amount_minor":5.4e1,'),
    "true in the proof": (PROOF, b'"index":1', b'"index":true'),
    "a dot in the proof": (PROOF, b'"index":1', b'"index":1.0'),
    "a word more in the proof": (PROOF, b'{"paths"', b'{"note":"x","paths"'),
    "a word more on the way": (PROOF, b'{"index"', b'{"also":1,"index"'),
    "a word more in the chain": (CHAIN, b'{"head"', b'{"also":"x","head"'),
    "true in the chain": (CHAIN, b'"number":1,', b'"number":true,'),
    "a dot in the chain": (CHAIN, b'"number":1,', b'"number":1.0,'),
    "a word more on the way in the result": (RESULT, b'{"index"', b'{"also":1,"index"'),
    "true in the result": (RESULT, b'"index":1', b'"index":true'),
}


@pytest.mark.parametrize("what", FOR_ANOTHER)
def test_one_value_that_stands_for_another_is_found_by_both(what: str, module: Any, tmp_path: Path) -> None:
    file, old, new = FOR_ANOTHER[what]

    def tamper(members: dict[str, bytes]) -> None:
        assert old in members[file]
        members[file] = members[file].replace(old, new, 1)

    verdict, problems = both(export_of(settled(sealed(window_of_leaves())), "grocer", tmp_path, tamper), key_file(tmp_path), module)
    assert file in {problem.file for problem in verdict.problems}
    assert file in {problem.split(":")[0] for problem in problems}


def test_a_statement_cannot_leave_out_a_line_in_whose_place_another_stands(module: Any, tmp_path: Path) -> None:
    """Line 2.0 would be line 2 where numbers are compared as numbers."""
    leaves = window_of_leaves()
    leaves["grocer"].insert(4, made("grocer", "line", "2.0", monthly(2.0)))

    def tamper(members: dict[str, bytes]) -> None:
        told = json.loads(members[STATEMENT])
        told["lines"] = list({one["line"]: one for one in told["lines"]}.values())
        told["net_minor"] = {"EUR": -sum(one["amount_minor"] for one in told["lines"])}
        members[STATEMENT] = canonical(told)

    verdict, problems = both(export_of(sealed(leaves), "grocer", tmp_path, tamper), key_file(tmp_path), module)
    assert {ENTRIES, STATEMENT} <= {problem.file for problem in verdict.problems}
    assert {ENTRIES, STATEMENT} <= {problem.split(":")[0] for problem in problems}


def test_what_an_entry_is_called_is_told_in_part_where_it_is_long(module: Any, tmp_path: Path) -> None:
    leaves = window_of_leaves()
    leaves["grocer"].append(night("9" * 5000))
    verdict, problems = both(export_of(sealed(leaves), "grocer", tmp_path), key_file(tmp_path), module)
    assert any((problem.entry or "").startswith("grocer night 999") for problem in verdict.problems)
    assert any(problem.startswith(f"{ENTRIES}: grocer night 999") for problem in problems)
    assert max(len(text) for text in (*problems, *(f"{problem.entry}{problem.what}" for problem in verdict.problems))) < 400


ENDLESS = ((b'"unit_price":"0.0100"', b'"unit_price":"1e99999999"'), (b'"percent":"5"', b'"percent":"1e-99999999"'), (b'"places":2', b'"places":9999999999999'))
OURS = """
import sys
from pathlib import Path
from services.seal.keys import public_keys
from services.seal.verify import verify
sys.exit(not verify(Path(sys.argv[1]), public_keys(Path(sys.argv[2]))).holds)
"""


@pytest.mark.parametrize("what", range(len(ENDLESS)))
def test_numbers_that_nobody_can_work_out_stop_neither(what: int, tmp_path: Path) -> None:
    """Not even the house has to have signed them: whoever is sent a file may be sent any."""
    old, new = ENDLESS[what]

    def tamper(members: dict[str, bytes]) -> None:
        assert old in members[ENTRIES]
        members[ENTRIES] = members[ENTRIES].replace(old, new)

    path, keys = export_of(sealed(window_of_leaves()), "grocer", tmp_path, tamper, signer=Key(99)), key_file(tmp_path)
    for command in (["-I", str(VERIFIER)], ["-c", OURS]):
        assert subprocess.run([sys.executable, *command, str(path), str(keys)], capture_output=True, check=False, timeout=60).returncode == 1
