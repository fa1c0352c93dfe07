"""A transaction of a bank may have any id that an event may have: it is written, read back, and found again from its event."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.card_files import KIND_OF, CardRow, EventType, event_id_of, event_of, transaction_of
from schemas.events.fields import Id
from services.bank.detail_file import write_lines
from services.bank.reading import open_file, read_lines
from services.bank.refusals import FileCode, RefusedFile
from tests.bank_files import row, write

EVENT_ID = TypeAdapter(Id)
EVENT_IDS = st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True) | st.sampled_from(
    [f"{head}{tail}" for head in ("", "-", ":", "x", "x" * 53) for tail in (":EARN", ":REFUND", ":EARN:EARN", ":CHARGEBACK", "y")]
)  # the longest has the 64 characters that an event's id may have
TYPES = st.sampled_from(sorted(KIND_OF))


@given(EVENT_IDS, TYPES)
def test_what_the_house_tells_of_an_event_is_found_again_from_the_event_of_that_line(event_id: str, event_type: EventType) -> None:
    transaction = transaction_of(event_id, event_type)
    again = EVENT_ID.validate_python(event_id_of(transaction, event_type))
    assert transaction_of(again, event_type) == transaction


@pytest.mark.parametrize("name", ["-t3", ".t3", ":t3", "t" * 44, "t" * 45, "t" * 64, "-" + "t" * 63, "--", "-1", ":EARN"])
def test_the_house_reads_what_it_writes(tmp_path: Path, name: str) -> None:
    rows = [row(1, name), row(2, "r1", "REFUND", original_bank_txn_id=name, reward_units=-15, bank_funded=-8, merchant_funded=-7)]
    lines = tmp_path / "lines.csv"
    empty = dict.fromkeys(CardRow.model_fields)
    write_lines(lines, [empty | one for one in rows])
    with lines.open(newline="", encoding="utf-8") as file:
        shown = [line["bank_txn_id"] for line in csv.DictReader(file)]
    assert shown[0] == (f"'{name}" if name.startswith("-") and name != "-1" else name)
    found = list(read_lines(open_file(write(tmp_path, rows, data=lines.read_bytes()))))
    assert [line.bank_txn_id for line in found if isinstance(line, CardRow)] == [name, "r1"]
    bought, back = (event_of(line.model_dump(), "/banks/bank1") for line in found if isinstance(line, CardRow))
    assert back["data"]["original_id"] == bought["id"]
    assert EVENT_ID.validate_python(bought["id"]) == bought["id"]


def test_an_id_that_a_spreadsheet_would_run_refuses_the_file_where_it_is_not_marked(tmp_path: Path) -> None:
    with pytest.raises(RefusedFile) as refused:
        list(read_lines(open_file(write(tmp_path, [row(1, "-t3")]))))
    assert refused.value.code is FileCode.FORMULA
