"""What surrounds a command may be wrong: it ends with a sentence that names the way out, and makes nothing that nobody asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app

READS = (
    ("report", "list"),
    ("report", "show"),
    ("events", "trigger", "purchase"),
    ("events", "listen"),
    ("explain", "obligation", "2026-03-02", "1"),
    ("window", "list"),
    ("dlq", "list"),
    ("partner", "live", "grocer"),
    ("clearing", "status"),
)


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No addresses in the environment."""
    for name in ("CLH_POSTGRES_URI", "CLH_KAFKA_BOOTSTRAP", "CLH_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)


def said(result: Result) -> str:
    """The sentence, whatever its lines; no command may end with an exception."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return " ".join(result.stderr.split())


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_a_command_that_reads_makes_no_house(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_STATE_DIR", str(tmp_path / "house"))
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, f"no house in {tmp_path / 'house'}; `clh dev up` makes one" in said(result)) == (3, True), said(result)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("state_dir", "words", "expected"),
    [
        ("/proc/x", ("report", "show"), "no house in /proc/x"),
        ("/proc/x", ("dev", "up"), "/proc/x cannot be used: No such file or directory; CLH_STATE_DIR has to name a folder"),
        ("/proc/x", ("demo", "--days", "1"), "CLH_STATE_DIR has to name a folder"),
        ("/etc/hostname", ("report", "show"), "cannot be used: Not a directory; CLH_STATE_DIR has to name a folder"),
    ],
)
def test_a_folder_that_cannot_be_used(state_dir: str, words: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_STATE_DIR", state_dir)
    result = CliRunner().invoke(app, words)
    assert result.exit_code in {1, 3}
    assert expected in said(result)


def test_addresses_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    for uri in ("garbage", "postgresql://host/books?nonsense=hush-6f", "host=books password=hush-6f"):
        monkeypatch.setenv("CLH_POSTGRES_URI", uri)
        result = CliRunner().invoke(app, ["report", "show"])
        assert (result.exit_code, "CLH_POSTGRES_URI is no address that can be used" in said(result)) == (3, True)
        assert "hush" not in said(result)


def test_settings_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_LOG_LEVEL", "LOUD")
    result = CliRunner().invoke(app, ["run", "cron"])
    assert (result.exit_code, "CLH_LOG_LEVEL: String should match" in said(result)) == (2, True)


def test_a_full_disk() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = (sys.executable, "-m", "services.cli", "events", "trigger", "list")
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env={**os.environ})
    assert done.returncode == 1
    assert "what was to be printed could not be written: No space left on device" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [("events", "listen", "-p", "x"), ("events", "trigger", "purchase", "-p", "x", "--no-validate"), ("partner", "live", "grocer", "-p", "x")],
    ids=" ".join,
)
def test_a_broker_that_does_not_answer(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr("services.cli.house.KAFKA_PATIENCE_S", 0.5)
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, "Kafka does not answer at 127.0.0.1:9: clh dev up, or CLH_KAFKA_BOOTSTRAP" in said(result)) == (3, True), said(result)
    assert "rdkafka" not in capfd.readouterr().err


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout.startswith("clh 0.")) == (0, True)
