"""Logs name what happened, and nothing that opens the books or that a sender sent: neither format shows what variables held."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from services import logs

PASSWORD = "hush-7c1e"
CARD = "card-of-a-member"
URI = f"postgresql://clh:{PASSWORD}@books.example:5432/clh?sslpassword={PASSWORD}"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What this process logs is as before."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], level = before
    root.setLevel(level)


def fails(secret: str) -> None:
    """Its locals, and its message, hold what nobody may read."""
    conninfo = {"password": secret, "row": [CARD]}
    raise ValueError(f"cannot connect: host=books password={conninfo['password']} or {URI}\nDETAIL:  Key (card)=({CARD}) exists.")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_logged_exception_tells_no_secret(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(log_format, "INFO")
    try:
        fails(PASSWORD)
    except ValueError:
        structlog.get_logger().exception("it failed", uri=URI)
        logging.getLogger("library").exception("it failed with %s", URI)
    said = capsys.readouterr().err
    assert "it failed" in said
    assert "in fails" in said or '"name": "fails"' in said
    assert "books.example" in said
    assert PASSWORD not in said
    assert CARD not in said


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_card_number_in_what_failed_is_not_logged(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(log_format, "INFO")
    try:
        int("4111    1111    1111    1111")
    except ValueError as error:
        structlog.get_logger().exception("it failed with 4111111111111111", why=str(error))
    said = capsys.readouterr().err
    assert "1111" in said
    assert "4111" not in said


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "INFO")
    try:
        fails(PASSWORD)
    except ValueError:
        structlog.get_logger().exception("it failed", topics={"count": 3}, done=True)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["topics"], line["done"]) == ("it failed", {"count": 3}, True)
    assert line["exception"][0]["exc_type"] == "ValueError"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"at {URI} now", "at postgresql://clh:***@books.example:5432/clh?sslpassword=*** now"),
        ("postgresql+psycopg://a:b@c@host/db", "postgresql+psycopg://a:***@host/db"),
        ("host=h password='a b\\'c' port=1", "host=h password=*** port=1"),
        ("{'password': 'x y', 'port': 1}", "{'password': ***, 'port': 1}"),
        ("kafka://127.0.0.1:9092 answers", "kafka://127.0.0.1:9092 answers"),
        ("CONTEXT:  unnamed portal with parameters: $1 = 'card'\nmore", "CONTEXT:  ***\nmore"),
    ],
)
def test_what_is_blotted_out(text: str, expected: str) -> None:
    assert logs.scrubbed(text) == expected
