"""Files of banks that are broken, by hand and made at random: each is refused with its reason, or its bad line is put aside alone."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from schemas.card_files import COLUMNS, CardRow
from services.bank.reading import manifest_path, open_file, read_lines
from services.bank.refusals import BadLine, FileCode, LineCode, RefusedFile
from tests.bank_files import Row, csv_bytes, manifest_of, row, write
from tests.broken_files import BYTES, CARD, FORMULAS, GOOD, MANIFESTS, cell


def read(path: Path, *, bytes_max: int = 10**6) -> list[CardRow | BadLine]:
    return list(read_lines(open_file(path, bytes_max=bytes_max)))


def refusal(path: Path) -> RefusedFile:
    with pytest.raises(RefusedFile) as refused:
        read(path)
    return refused.value


def test_a_good_file_is_read_line_by_line(tmp_path: Path) -> None:
    lines = read(write(tmp_path, GOOD))
    assert [type(line) for line in lines] == [CardRow] * 3
    assert [line.event_id for line in lines if isinstance(line, CardRow)] == ["t1:EARN", "t2:EARN", "t1:REFUND"]


def test_an_empty_file_with_a_header_is_a_good_one(tmp_path: Path) -> None:
    assert read(write(tmp_path, [])) == []


@pytest.mark.parametrize("what", BYTES)
def test_a_file_is_refused_whole(tmp_path: Path, what: str) -> None:
    data, code = BYTES[what]
    refused = refusal(write(tmp_path, GOOD, data=data))
    assert refused.code is code, refused
    assert len(refused.reason) > 20
    assert CARD not in str(refused)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("column", ["acceptor_id", "rule_id"])
def test_a_formula_in_a_cell_refuses_the_file_and_names_line_and_field(tmp_path: Path, formula: str, column: str) -> None:
    refused = refusal(write(tmp_path, GOOD, data=cell(2, **{column: formula})))
    assert (refused.code, refused.line, refused.field) == (FileCode.FORMULA, 3, column)


@pytest.mark.parametrize("what", MANIFESTS)
def test_a_manifest_refuses_its_file(tmp_path: Path, what: str) -> None:
    changes, code = MANIFESTS[what]
    assert refusal(write(tmp_path, GOOD, name="CRD_bank1_mall-card_2026-03-02_1.csv", **changes)).code is code


@pytest.mark.parametrize(
    "name", ["CRD_bank1_mall-card_2026-03-02_2.csv", "CRD_bank2_mall-card_2026-03-02_1.csv", "crd.csv", "CRD_bank1_mall-card_2026-03-02_1.txt"]
)
def test_a_file_with_another_name_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(write(tmp_path, GOOD, name=name)).code is FileCode.WRONG_NAME


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "{", '{"a": 1, "a": 1}', "\ufeff{}", "[" * 100_000, "NaN"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, GOOD)
    manifest_path(path).write_text(text, encoding="utf-8")
    assert refusal(path).code is FileCode.BAD_MANIFEST


def test_a_manifest_that_names_a_field_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    text = manifest_path(path).read_text(encoding="utf-8")
    manifest_path(path).write_text(text.replace("{", '{"record_count": 4, ', 1), encoding="utf-8")
    assert refusal(path).code is FileCode.BAD_MANIFEST


def test_what_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    with pytest.raises(RefusedFile) as oversized:
        read(path, bytes_max=100)
    assert oversized.value.code is FileCode.OVERSIZED
    content = path.read_bytes()
    path.unlink()
    assert refusal(path).code is FileCode.UNREADABLE
    path.write_bytes(content)
    manifest_path(path).write_bytes(b" " * (2**20 + 1))
    assert refusal(path).code is FileCode.OVERSIZED
    manifest_path(path).unlink()
    assert refusal(path).code is FileCode.NO_MANIFEST


@pytest.mark.parametrize("seed", range(30))
def test_a_file_with_one_byte_changed_or_cut_off_anywhere_is_refused(tmp_path: Path, seed: int) -> None:
    random, data = Random(seed), bytearray(csv_bytes(GOOD))
    at = random.randrange(len(data))
    if seed % 3:
        data[at] ^= 1 << random.randrange(8)
    else:
        del data[at:]
    path = write(tmp_path, GOOD)
    path.write_bytes(data)
    assert refusal(path).code is FileCode.WRONG_HASH


LINES: dict[str, tuple[Row, str, LineCode]] = {
    "no transaction": ({"bank_txn_id": ""}, "bank_txn_id", LineCode.MISSING_FIELD),
    "an id too long for an event": ({"bank_txn_id": "x" * 65}, "bank_txn_id", LineCode.WRONG_VALUE),
    "an id as long as that of an event, which ends as one": ({"bank_txn_id": f"{'x' * 57}:EARN"}, "event_type", LineCode.WRONG_VALUE),
    "an original of that kind": ({"original_bank_txn_id": f"{'x' * 57}:EARN"}, "original_bank_txn_id", LineCode.WRONG_VALUE),
    "an id with a space": ({"bank_txn_id": "t 2"}, "bank_txn_id", LineCode.WRONG_VALUE),
    "no card": ({"card_ref": ""}, "card_ref", LineCode.MISSING_FIELD),
    "a card of another kind": ({"card_ref_type": "PAN"}, "card_ref_type", LineCode.WRONG_VALUE),
    "a category with letters": ({"mcc": "54A1"}, "mcc", LineCode.WRONG_VALUE),
    "a time without offset": ({"transacted_at": "2026-03-02T10:00:00"}, "transacted_at", LineCode.WRONG_VALUE),
    "a time of no calendar": ({"transacted_at": "2026-02-30T10:00:00Z"}, "transacted_at", LineCode.WRONG_VALUE),
    "a day of no calendar": ({"posting_date": "2026-13-01"}, "posting_date", LineCode.WRONG_VALUE),
    "an amount below zero": ({"billing_minor": -1}, "billing_minor", LineCode.WRONG_VALUE),
    "an amount with decimals": ({"billing_minor": "10.00"}, "billing_minor", LineCode.WRONG_VALUE),
    "an amount with a zero before it": ({"billing_minor": "0100"}, "billing_minor", LineCode.WRONG_VALUE),
    "an amount with an exponent": ({"billing_minor": "1e3"}, "billing_minor", LineCode.WRONG_VALUE),
    "a currency of no country": ({"billing_ccy": "XYZ"}, "billing_ccy", LineCode.WRONG_VALUE),
    "a currency without an amount": ({"txn_ccy": "USD"}, "txn_ccy", LineCode.WRONG_VALUE),
    "a rate with a sign": ({"fx_rate": "1.1.1"}, "fx_rate", LineCode.WRONG_VALUE),
    "another line number": ({"line_no": 7}, "line_no", LineCode.LINE_NUMBER),
}  # fmt: skip


@pytest.mark.parametrize("what", LINES)
def test_a_bad_line_is_put_aside_alone_with_line_field_and_code(tmp_path: Path, what: str) -> None:
    changes, field, code = LINES[what]
    first, bad, last = read(write(tmp_path, GOOD, data=cell(2, **changes)))
    assert isinstance(first, CardRow)
    assert isinstance(last, CardRow)
    assert isinstance(bad, BadLine)
    assert (bad.line, bad.field, bad.code) == (3, field, code)


def test_a_reversal_without_its_original_and_a_reward_without_its_kind_are_put_aside(tmp_path: Path) -> None:
    rows = [row(1, "t1", "REFUND"), row(2, "t2", reward_kind=None), row(3, "t3")]
    lines = read(write(tmp_path, rows))
    assert [(line.line, line.field) for line in lines if isinstance(line, BadLine)] == [(2, "original_bank_txn_id"), (3, "reward_units")]


def test_the_manifest_of_these_tests_is_one_of_the_schema(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    assert json.loads(manifest_path(path).read_text()) == manifest_of(GOOD, path.read_bytes())
    assert open_file(path).manifest.file_name == path.name
    assert len(COLUMNS) == 31
