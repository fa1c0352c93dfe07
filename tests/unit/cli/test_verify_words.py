"""What `clh verify` says: the verdict first; notes only where all holds; and that a file is no export where nothing of it looks like one."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.cli.seal import _show_verdict
from services.seal.keys import generate
from services.seal.verdict import Verdict

PATH = Path("grocer.clh.tar")


def test_the_verdict_stands_first_and_notes_last(capsys: pytest.CaptureFixture[str]) -> None:
    _show_verdict(PATH, Verdict(notes=["the fees of a month rest on earlier windows"], programme="harvest", window="2026-03-02", party="grocer", entries=3))
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("grocer.clh.tar: everything holds. 3 entries, ")
    assert rest == ["the window is not settled yet", "note: the fees of a month rest on earlier windows"]


def test_what_does_not_hold_is_named_behind_the_verdict_and_no_note_is_made_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = Verdict(notes=["grocer is charged nothing for it"])
    verdict.wrong("entries.jsonl", "its bytes are not those that the manifest names", "entry 7")
    _show_verdict(PATH, verdict)
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("grocer.clh.tar: IT DOES NOT HOLD: 1 found.")
    assert rest == ["entries.jsonl: entry 7: its bytes are not those that the manifest names"]


def tar(name: str) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo(name))
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "no_export"),
    [
        (b"# A readme\n", True),
        (b"", True),
        (tar("other.txt"), False),
        (b"x" + tar("manifest.json"), False),
        (tar("manifest.json").replace(b"ustar", b"uster"), False),
    ],
    ids=["a readme", "empty", "another tar", "a byte put in", "no tar any more"],
)
def test_a_file_that_is_no_export_is_said_to_be_none(tmp_path: Path, content: bytes, no_export: bool) -> None:
    generate(tmp_path / "key.pem", tmp_path / "keys.txt", "")
    (tmp_path / "some").write_bytes(content)
    words = ["verify", str(tmp_path / "some"), "--public-key", str(tmp_path / "keys.txt")]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, "is no export: " in done.output, "IT DOES NOT HOLD" in done.output) == (1, no_export, not no_export), done.output
    assert '"holds": false' in CliRunner().invoke(app, [*words, "--output", "json"]).stdout
