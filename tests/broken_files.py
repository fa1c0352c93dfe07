"""Card files that are broken, each in one way, and the code under which it is refused whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.bank.refusals import FileCode
from tests.bank_files import Row, csv_bytes, row

GOOD = (row(1, "t1"), row(2, "t2", card_ref="tok2"), row(3, "t1", "REFUND", original_bank_txn_id="t1", reward_units=-15, bank_funded=-8, merchant_funded=-7))
CARD = "4111111111111111"
"""A test number that passes Luhn's check; no card has it."""


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
FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "-",
    "\t=1",
    " =1",
    '=HYPERLINK("http://x")',
    "\ufeff=1",
    "\u200b+1",
    "\u00a0@SUM(A1)",
    "\uff1d1+1",
    "\x0b-2+3",
)
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
