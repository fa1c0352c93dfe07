"""Files of banks that are broken, by hand and made at random: each is refused with its reason, or its bad line is put aside alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from schemas.card_files import COLUMNS, CardRow
from services.bank.reading import manifest_path, open_file, read_lines
from services.bank.refusals import BadLine, FileCode, LineCode, RefusedFile
from tests.bank_files import Row, csv_bytes, manifest_of, row, write

GOOD = (row(1, "t1"), row(2, "t2", card_ref="tok2"), row(3, "t1", "REFUND", original_bank_txn_id="t1", reward_units=-15, bank_funded=-8, merchant_funded=-7))
CARD = "4111111111111111"
"""A test number that passes Luhn's check; no card has it."""


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


def edited(change: Callable[[bytes], bytes]) -> bytes:
    return change(csv_bytes(GOOD))


def cell(no: int, **cells: Any) -> bytes:
    """The good file with some cells of one line changed; the manifest is made for the good lines."""
    return csv_bytes([one | cells if one["line_no"] == no else one for one in GOOD])


BYTES: dict[str, tuple[bytes, FileCode]] = {
    "cut off in the middle of a line": (edited(lambda data: data[:-30]), FileCode.LINE_END),
    "cut off behind a line": (csv_bytes(GOOD[:2]), FileCode.WRONG_COUNT),
    "without the last line end": (edited(lambda data: data[:-2]), FileCode.LINE_END),
    "empty": (b"", FileCode.UNKNOWN_COLUMNS),
    "without a header": (edited(lambda data: data.split(b"\r\n", 1)[1]), FileCode.UNKNOWN_COLUMNS),
    "with a column more": (edited(lambda data: data.replace(b"settlement_ref", b"settlement_ref,tip", 1)), FileCode.UNKNOWN_COLUMNS),
    "with a column less": (edited(lambda data: data.replace(b",settlement_ref", b"", 1)), FileCode.UNKNOWN_COLUMNS),
    "with a column renamed": (edited(lambda data: data.replace(b"mcc", b"MCC", 1)), FileCode.UNKNOWN_COLUMNS),
    "with two columns swapped": (edited(lambda data: data.replace(b"rrn,auth_code", b"auth_code,rrn", 1)), FileCode.UNKNOWN_COLUMNS),
    "with a column for the card number": (edited(lambda data: data.replace(b"card_ref,", b"pan,", 1)), FileCode.UNKNOWN_COLUMNS),
    "with the header twice": (edited(lambda data: data.split(b"\r\n", 1)[0] + b"\r\n" + data), FileCode.WRONG_TOTAL),
    "with a byte order mark": (edited(lambda data: b"\xef\xbb\xbf" + data), FileCode.WRONG_ENCODING),
    "in UTF-16": (edited(lambda data: data.decode().encode("utf-16")), FileCode.NUL_BYTE),
    "in Latin-1": (edited(lambda data: data.replace(b"shop-1", "Caf\xe9".encode("latin-1"))), FileCode.WRONG_ENCODING),
    "with an overlong UTF-8 sequence": (edited(lambda data: data.replace(b"shop-1", b"\xc0\xaf")), FileCode.WRONG_ENCODING),
    "with half a surrogate": (edited(lambda data: data.replace(b"shop-1", b"\xed\xa0\x80")), FileCode.WRONG_ENCODING),
    "with a NUL byte": (edited(lambda data: data.replace(b"tok2", b"to\0k2")), FileCode.NUL_BYTE),
    "with LF alone": (edited(lambda data: data.replace(b"\r\n", b"\n")), FileCode.LINE_END),
    "with CR alone": (edited(lambda data: data.replace(b"\r\n", b"\r")), FileCode.LINE_END),
    "with one LF among CR LF": (edited(lambda data: data[:-2] + b"\n"), FileCode.LINE_END),
    "with CR CR LF": (edited(lambda data: data.replace(b"\r\n", b"\r\r\n")), FileCode.LINE_END),
    "with a blank line": (edited(lambda data: data + b"\r\n"), FileCode.WRONG_WIDTH),
    "with a quote inside a cell": (edited(lambda data: data.replace(b"tok2", b'"to"k2')), FileCode.NOT_CSV),
    "with a quote that is not closed": (edited(lambda data: data.replace(b"tok2", b'"tok2')), FileCode.NOT_CSV),
    "with nested quotes": (edited(lambda data: data.replace(b"tok2", b'"a "b" c"')), FileCode.NOT_CSV),
    "with a line end in a cell": (edited(lambda data: data.replace(b"tok2", b'"to\r\nk2"')), FileCode.NOT_CSV),
    "with semicolons": (edited(lambda data: data.replace(b",", b";")), FileCode.UNKNOWN_COLUMNS),
    "with a cell more in a line": (edited(lambda data: data.replace(b"tok2", b"tok2,x")), FileCode.WRONG_WIDTH),
    "with a cell less in a line": (edited(lambda data: data.replace(b"tok2,", b"")), FileCode.WRONG_WIDTH),
    "with a huge line": (edited(lambda data: data.replace(b"tok2", b"x" * 100_000)), FileCode.HUGE_FIELD),
    "with a huge cell": (cell(2, rrn="x" * 300), FileCode.HUGE_FIELD),
    "with a huge number": (cell(2, reward_units="9" * 200), FileCode.WRONG_TOTAL),
    "with other units in a line": (cell(2, reward_units=16), FileCode.WRONG_TOTAL),
    "with units that are no number": (cell(2, reward_units="many"), FileCode.WRONG_TOTAL),
    "with units with decimals": (cell(2, reward_units="0.15"), FileCode.WRONG_TOTAL),
    "with units in other digits": (cell(2, reward_units="\u0661\u0665"), FileCode.WRONG_TOTAL),
    "with another currency of a reward": (cell(2, reward_ccy="USD"), FileCode.WRONG_TOTAL),
    "with another event type": (cell(2, event_type="BONUS"), FileCode.WRONG_TOTAL),
    "with an unknown event type": (cell(2, event_type="GIFT"), FileCode.WRONG_TOTAL),
    "with a line twice": (csv_bytes([*GOOD, GOOD[2]]), FileCode.WRONG_COUNT),
    "with a line instead of another": (csv_bytes([GOOD[0], GOOD[0] | {"line_no": 2, "reward_units": 30}, GOOD[2]]), FileCode.WRONG_TOTAL),
    "with a card number for the card": (cell(2, card_ref=CARD), FileCode.CARD_NUMBER),
    "with a card number in blocks": (cell(2, rule_id="4111 1111 1111 1111"), FileCode.CARD_NUMBER),
    "with a card number with dashes": (cell(2, cap_bucket="4111-1111-1111-1111"), FileCode.CARD_NUMBER),
    "with a card number among words": (cell(2, settlement_ref=f"ref {CARD} x"), FileCode.CARD_NUMBER),
    "with a card number for the rrn": (cell(2, rrn="378282246310005"), FileCode.CARD_NUMBER),
    "with a card number for the authorisation": (cell(2, auth_code="5555555555554444"), FileCode.CARD_NUMBER),
    "with a card number for the arn": (cell(2, arn="6011111111111117"), FileCode.CARD_NUMBER),
    "with a card number as exclusion": (cell(2, exclusion_code="30569309025904"), FileCode.CARD_NUMBER),
    "which is a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), FileCode.WRONG_ENCODING),
    "which is a zip file": (b"PK\x03\x04" + bytes(100), FileCode.NUL_BYTE),
}
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "-2+3", "-", "\t=1", " =1", '=HYPERLINK("http://x")')


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


MANIFESTS: dict[str, tuple[Row, FileCode]] = {
    "with another hash": ({"sha256": "0" * 64}, FileCode.WRONG_HASH),
    "with a hash in capitals": ({"sha256": "A" * 64}, FileCode.BAD_MANIFEST),
    "with one line more": ({"record_count": 4}, FileCode.WRONG_COUNT),
    "with one line less": ({"record_count": 2}, FileCode.WRONG_COUNT),
    "with a count below zero": ({"record_count": -1}, FileCode.BAD_MANIFEST),
    "with a count as text": ({"record_count": "3"}, FileCode.BAD_MANIFEST),
    "with a count with decimals": ({"record_count": 3.0}, FileCode.BAD_MANIFEST),
    "without totals": ({"totals": []}, FileCode.WRONG_TOTAL),
    "with a total twice": ({"totals": [{"event_type": "EARN", "reward_kind": "", "reward_ccy": "", "count": 0, "units": 0}] * 2}, FileCode.BAD_MANIFEST),
    "with a total of what is not there": (
        {"totals": [{"event_type": "BONUS", "reward_kind": "", "reward_ccy": "", "count": 1, "units": 0}]}, FileCode.WRONG_TOTAL,
    ),
    "of another version": ({"schema_version": "2"}, FileCode.BAD_MANIFEST),
    "with a field more": ({"operator": "x"}, FileCode.BAD_MANIFEST),
    "without a file id": ({"file_id": ""}, FileCode.BAD_MANIFEST),
    "with a file id that is a path": ({"file_id": "../f1"}, FileCode.BAD_MANIFEST),
    "of no day": ({"day": "2026-02-30"}, FileCode.BAD_MANIFEST),
    "with a sequence of zero": ({"sequence": 0}, FileCode.BAD_MANIFEST),
    "with a cut-off of no clock": ({"cut_off": "25:00"}, FileCode.BAD_MANIFEST),
}  # fmt: skip


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
    "an id too long for an event": ({"bank_txn_id": "x" * 45}, "bank_txn_id", LineCode.WRONG_VALUE),
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
