"""A server that is away is waited for, and said in one line that shows no password."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest
from confluent_kafka import KafkaError, KafkaException

from services.outage import Outage, first_line

NOBODY = {"CLH_POSTGRES_URI": "postgresql://clh:hush-5b@127.0.0.1:9/books", "CLH_KAFKA_BOOTSTRAP": "127.0.0.1:9"}
LINES_MAX = 6


@pytest.mark.slow
@pytest.mark.parametrize("words", [("cron",), ("relay",), ("accrual", "--programme", "harvest"), ("insights",), ("all",)])
def test_processes_wait_for_postgres_in_few_words(words: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        (sys.executable, "-m", "services.cli", "run", *words), env={**os.environ, **NOBODY, "CLH_LOG_FORMAT": "text"}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    time.sleep(2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    said += process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    assert said.count("PostgreSQL cannot be reached, tried again in") == len(said.splitlines()) <= LINES_MAX
    assert "Connection refused" in said
    assert "hush-5b" not in said


def test_pauses_grow_and_few_of_them_are_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    outage = Outage(30.0)
    away = psycopg.OperationalError("connection failed:\n  no route")
    pauses = []
    for _ in range(20):
        pauses.append(outage.pause_s(away))
        now += pauses[-1]
    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert pauses[-1] == 30.0
    said = "".join(capsys.readouterr())
    assert 5 <= said.count("PostgreSQL cannot be reached") <= 14
    now += 100
    assert outage.pause_s(away) == 0.2
    assert "PostgreSQL cannot be reached" in "".join(capsys.readouterr())


def test_the_first_line_says_what_it_is() -> None:
    assert first_line(psycopg.OperationalError("\n refused\n\tIs it there?")) == "refused"
    assert first_line(ValueError()) == "ValueError"
    assert "_TRANSPORT" in first_line(KafkaException(KafkaError(KafkaError._TRANSPORT)))
