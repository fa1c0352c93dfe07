"""A passphrase is asked for on a terminal only: where there is none, the command says what is to be done instead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_without_a_terminal_the_option_that_reads_it_from_a_file_is_named(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "services.cli", "people", "keygen", "--to", str(tmp_path / "mia.pem")]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True, check=False)  # no terminal to ask on
    assert (done.returncode, done.stdout) == (2, "")
    assert "--passphrase-file" in done.stderr
    assert "Warning" not in done.stderr
    assert list(tmp_path.iterdir()) == []
