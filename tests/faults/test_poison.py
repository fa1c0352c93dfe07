"""Records that nobody can read, in the middle of a batch: refused with code and pointer, and the batch goes on. A topic full of them stops it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from services.accrual.processor import DEAD_LETTERS_IN_A_ROW_MAX, TooManyDeadLetters
from tests.faults.books import assert_whole, books_of
from tests.faults.conftest import Undisturbed
from tests.faults.site import SMALL_BATCH, Site
from tests.faults.workload import DAYS, TRANSACTIONS, Sent, people

CARD = people()[0].a[0]
GOOD = {
    "specversion": "1.0", "id": "poison", "source": "/partners/grocer", "type": "purchase.v1", "time": "2026-03-30T08:00:00Z", "subject": CARD,
    "data": {"store": "1", "receipt": "1", "card": CARD, "currency": "EUR", "total_minor": 1, "lines": [{"line": 1, "amount_minor": 1}]},
}  # fmt: skip
TEXT = json.dumps(GOOD)
POISON = {
    "nothing": (b"", "malformed", ""),
    "no JSON": (b"\x00\x01 what?", "malformed", ""),
    "broken UTF-8": (TEXT.encode().replace(b'"store": "1"', b'"store": "\xc3\x28"'), "malformed", ""),
    "half a character": (TEXT.replace('"store": "1"', '"store": "\\ud800"').encode(), "malformed", ""),
    "2 MB of text": (TEXT.replace('"store": "1"', '"store": "' + "x" * 2_000_000 + '"').encode(), "malformed", ""),
    "2 MB of bytes": (b"\xff" * 2_000_000, "malformed", ""),
    "nested too deeply": (b"[" * 100_000, "malformed", ""),
    "a list": (b"[]", "malformed", ""),
    "a zero character": (TEXT.replace('"store": "1"', '"store": "a\\u0000b"').encode(), "malformed", "/data/store"),
    "a zero character in a key": (TEXT.replace('"store": "1"', '"store": "1", "a\\u0000b": 1').encode(), "malformed", "/data"),
    "a field that is not known": (TEXT.replace('"store": "1"', '"store": "1", "a\\tb\\\\": "\\n"').encode(), "malformed", "/data/a\tb\\"),
    "a key twice": (TEXT.replace('"store": "1"', '"store": "1", "store": "2"').encode(), "malformed", ""),
    "a number beyond all bounds": (TEXT.replace('"total_minor": 1', '"total_minor": 1e999').encode(), "malformed", "/data/total_minor"),
    "NaN": (TEXT.replace('"total_minor": 1', '"total_minor": NaN').encode(), "malformed", ""),
    "another type": (TEXT.replace("purchase.v1", "purchase.v99").encode(), "unknown-type", "/type"),
    "what COPY would misread": (TEXT.replace("/partners/grocer", "/partners/\\\\N\\t\\n").encode(), "malformed", "/source"),
}
POISON = {  # each under an id of its own: what is malformed claims its id
    name: (value.replace(b'"poison"', b'"poison-%d"' % no), code, pointer) for no, (name, (value, code, pointer)) in enumerate(POISON.items())
}
FOUND = "select distinct code, pointer from entry where body = %s or raw = %s"


def spread(window: Sequence[Sent], poison: Sequence[bytes]) -> list[Sent]:
    """The window with a record of poison after every few of its own, in all partitions."""
    out: list[Sent] = []
    every = len(window) // (len(poison) + 1)
    for no, sent in enumerate(window):
        if no and no % every == 0 and no // every <= len(poison):
            out.append(Sent(TRANSACTIONS, no // every % 4, "poison", poison[no // every - 1]))
        out.append(sent)
    return out


@pytest.mark.parametrize("batch_max", [SMALL_BATCH, 4_000])
def test_poison_in_the_middle_of_a_batch_is_refused_and_the_batch_goes_on(one: Site, undisturbed: Undisturbed, batch_max: int) -> None:
    """Beside what is refused, the books and every figure of the reports are those of the run without poison."""
    poison = [value for value, _, _ in POISON.values()]
    windows = [spread(undisturbed.windows[0], poison), *undisturbed.windows[1:]]
    one.play(windows, batch_max=batch_max)
    assert_whole(one, [sent for window in windows for sent in window], windows=len(DAYS))
    found, expected = books_of(one), undisturbed.books
    assert found.members == expected.members
    assert found.lots == expected.lots
    assert found.journal == expected.journal
    assert {key: event for key, event in found.events.items() if not key[1].startswith("poison")} == expected.events
    assert [_of_money(report) for report in found.reports] == [_of_money(report) for report in expected.reports]
    with one.books() as books:
        for name, (value, code, pointer) in POISON.items():
            text = value.decode("utf-8", "replace").replace("\0", "")
            assert books.execute(FOUND, (text, value)).fetchall() == [(code, pointer)], name


def _of_money(report: dict[str, object]) -> dict[str, object]:
    """A report without what it says of refused records, and of the report before it."""
    return {name: part for name, part in report.items() if name not in ("senders", "rejections", "checks", "previous_sha256")}


def test_a_topic_full_of_poison_stops_the_processor_before_it_is_drained(one: Site, undisturbed: Undisturbed) -> None:
    first = undisturbed.windows[0]
    garbage = [Sent(TRANSACTIONS, no % 4, "poison", b"{%d" % no) for no in range(3 * DEAD_LETTERS_IN_A_ROW_MAX)]
    one.publish(first)
    one.book_all()
    one.publish(garbage)
    with pytest.raises(TooManyDeadLetters):
        one.book_all(batch_max=SMALL_BATCH)
    with one.books() as books:
        refused = books.execute("select count(*) from entry where code = 'malformed' and left(body, 1) = '{' and length(body) < 9").fetchone()
    assert refused is not None
    assert DEAD_LETTERS_IN_A_ROW_MAX <= refused[0] < 2 * DEAD_LETTERS_IN_A_ROW_MAX, "it was stopped, and most of the topic is as it was"
