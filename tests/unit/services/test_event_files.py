"""Files of events: read line by line, packed or not, and each line judged as the house would."""

import gzip
import json
from pathlib import Path

import pytest

from schemas.events.answers import RejectionCode
from services.events.answers import Answered
from services.events.checking import check
from services.events.files import Line, UnreadableFile, opened
from services.events.sending import Fate, Sent
from services.events.signing import NoKey, Signer
from tests.coalition import as_line, purchase


@pytest.mark.parametrize("packed", [False, True])
def test_lines_are_numbered_and_can_be_read_again(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "events"
    content = b'{"a": 1}\r\n\n  \n{"b": 2}'
    path.write_bytes(gzip.compress(content) if packed else content)
    with opened(path) as file:
        for _ in range(2):
            assert list(file.lines()) == [Line(1, b'{"a": 1}'), Line(4, b'{"b": 2}')]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"), opened(tmp_path / "nothing"):
        pass
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"x" * 1000)[:-9])
    with opened(broken) as file, pytest.raises(UnreadableFile, match="gzip"):
        list(file.lines())


def test_each_line_is_judged_as_the_house_would() -> None:
    good = purchase("p1", "card-1", 100)
    assert check(Line(1, as_line(good))) is None
    assert check(Line(1, as_line(good)), speaks_for="grocer") is None
    cases = {
        RejectionCode.MALFORMED: ({**good, "colour": "red"}, "/colour"),
        RejectionCode.UNKNOWN_TYPE: ({**good, "type": "purchase.v9"}, "/type"),
        RejectionCode.TOTALS_MISMATCH: ({**good, "data": {**good["data"], "total_minor": 99}}, "/data/total_minor"),
        RejectionCode.CARD_NUMBER_IN_CLEAR: ({**good, "data": {**good["data"], "card": "4111111111111111"}}, "/data/card"),
    }
    for code, (event, pointer) in cases.items():
        bad = check(Line(7, as_line(event)))
        assert bad is not None
        assert (bad.line, bad.code, bad.pointer) == (7, code, pointer)
        assert "4111" not in bad.reason
    other = check(Line(1, as_line(good)), speaks_for="fuelco")
    assert other is not None
    assert other.code is RejectionCode.WRONG_SOURCE


def test_keys_that_are_not_there(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"k1": {"party": "grocer", "secret": "00ff"}, "k2": {"party": "grocer", "secret": "no hex"}}))
    assert Signer.read(keys, "k1").party == "grocer"
    assert "00ff" not in repr(Signer.read(keys, "k1"))
    for path, name in ((None, "k1"), (keys, "k3"), (keys, "k2"), (tmp_path / "none", "k1")):
        with pytest.raises(NoKey):
            Signer.read(path, name)


def answer(event_id: str, outcome: str, offset: int | None = None) -> Answered:
    place = ("t", 0, offset) if offset is not None else None
    return Answered(f"a-{event_id}-{outcome}", outcome, ("/partners/grocer", event_id), place, {"data": {"code": "id-reused"}})


def test_lines_with_one_id_are_answered_one_by_one() -> None:
    sent = Sent()
    fates = [Fate(no, "p1") for no in (1, 2, 3)]
    for no, fate in enumerate(fates):
        sent.add(fate, "/partners/grocer")
        sent.lies_at(fate, ("t", 0, no))
    assert sent.take(answer("p1", "accepted"))
    assert sent.take(answer("p1", "rejected", 1))
    assert not sent.take(answer("p2", "accepted"))
    assert [fate.outcome for fate in fates] == ["accepted", "rejected", "unanswered"]
    assert sent.take(answer("p1", "accepted"))
    assert [fate.outcome for fate in fates] == ["accepted", "rejected", "accepted"]
    assert (sent.answered, list(sent.rejected), sent.count("accepted")) == (3, ["id-reused"], 2)
