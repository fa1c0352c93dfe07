"""The tutorial that runs a house of its own: its commands, in its order, in a shell, on servers of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "own-house.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_the_commands_of_the_tutorial_run_in_its_order(tmp_path: Path) -> None:
    """In one shell that ends at the first command that fails; whatever happens, no process is left behind."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    script = "set -e\n" + "\n".join(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    outside = {name: value for name, value in os.environ.items() if not name.startswith("CLH_")}
    environment = outside | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{outside['PATH']}",
        "PYTHONPATH": str(ROOT),
        "CLH_STATE_DIR": str(tmp_path / "state"),
    }

    shell = subprocess.Popen(
        ["bash", "-c", script], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        told, _ = shell.communicate(timeout=400)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
        subprocess.run(["bash", "-c", "clh dev down"], env=environment, capture_output=True, timeout=60, check=False)

    assert shell.returncode == 0, told[-3000:]
    for part in ("harvest is in force.", "+12 points", "nobody owns the card yet", "all 7 checks hold", "net position -0.16 EUR", "everything holds."):
        assert part in told, part
    assert (tmp_path / "night.html").stat().st_size > 0
