"""Whatever a file holds, it is read or refused with a code: no mutation of a good message gets another exception out of the readers."""

from __future__ import annotations

import time
from contextlib import suppress
from random import Random

import pytest

from schemas.bank_messages import Statement
from services.bank.errors import BankError
from services.bank.messages import read_message
from tests.bank_messages import Movement, statement, transaction
from tests.broken_messages import GOOD

SOME: tuple[bytes, ...] = (
    b"", b"0", b"7.0", b"+7", b" 12.50 ",
    b"-0", b"1e5", b"9" * 15, b"INF", b"24:00:00", b"2026-03-03T24:00:00Z", b"-2026-03-03", b"99999-01-01", b"2026-03-03+14:00",
    b"&#x10FFFF;", "\u0663".encode(), "\u202e".encode(), b"<![CDATA[x]]>", b"&lt;", b"]]>", b"<a/>", b"true", b"1", b"\r\n", b"\t=1+1",
)  # fmt: skip
"""What is put in the place of a piece of a message."""


@pytest.mark.parametrize("kind", GOOD)
def test_bytes_changed_at_random_are_read_or_refused(kind: str) -> None:
    random = Random(kind)
    for _ in range(400):
        content = bytearray(GOOD[kind])
        for _ in range(random.randint(1, 3)):
            content[random.randrange(len(content))] = random.randrange(256)
        with suppress(BankError):
            read_message(bytes(content))


@pytest.mark.parametrize("kind", GOOD)
def test_texts_of_elements_changed_to_odd_ones_are_read_or_refused(kind: str) -> None:
    """Each text of the message in turn becomes each odd one."""
    content = GOOD[kind]
    places = [at for at in range(len(content)) if content[at : at + 1] == b">" and content[at + 1 : at + 2] not in {b"<", b"\n", b""}]
    assert len(places) > 5
    for at in places:
        end = content.index(b"<", at)
        for odd in SOME:
            with suppress(BankError):
                read_message(content[: at + 1] + odd + content[end:])


@pytest.mark.parametrize("number", ["7", "+7", "007", "7.0"])
def test_a_statements_number_is_read_however_it_is_written(number: str) -> None:
    (read,) = read_message(statement(sequence=number))  # type: ignore[misc]
    assert isinstance(read, Statement)
    assert read.sequence == 7


def test_a_long_statement_takes_time_in_proportion_also_without_references() -> None:
    """The same movement ten thousand times without a reference of the bank: each still gets one of its own."""
    moves = [Movement("1.00", "", transaction()) for _ in range(10_000)]
    began = time.process_time()
    (read,) = read_message(statement(*moves, closing="11000.00"))  # type: ignore[misc]
    assert isinstance(read, Statement)
    assert len({entry.reference for entry in read.entries}) == 10_000
    assert time.process_time() - began < 10
