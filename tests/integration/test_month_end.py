"""The commands of the how-to about the month's accounts, as they stand there, on real books."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.runtime.local import Addresses
from tests.coalition import coalition, event, purchase

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "month-end-accounts.md"
BLOCK = re.compile(r"^ *```console\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
DAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 31, 10, tzinfo=UTC)


@pytest.mark.timeout(180)
def test_the_commands_of_the_page_run_in_its_order(addresses: Addresses, tmp_path: Path) -> None:
    with coalition(addresses, day=DAY) as one:
        one.enrol(("m-1", "c-1"))
        one.publish(purchase("p1", "c-1", 30_000, time=NOON))
        one.book()
        spent = {"card": "c-1", "store": "1", "receipt": "r1", "points": 100}
        one.publish(event("redemption.v1", "r1", "c-1", spent, source="/partners/fuelco", time=NOON))
        one.close(DAY)
        commands = "".join(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
        assert commands.count("clh accounts") == 8
        script = "set -e\n" + re.sub(r"clh accounts (\w+)", rf"clh accounts \1 --programme {one.id}", commands) + "bean-check ledger.beancount\n"
        outside = {name: value for name, value in os.environ.items() if not name.startswith("CLH_")}
        environment = outside | one.environment | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{outside['PATH']}", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for part in ("Points outstanding at the end of 2026-03-31", "Too little history", "Deferred revenue of 2026-03", "is the one that was told"):
        assert part in done.stdout, part
    for name in ("liability.csv", "movements.csv", "entries.csv", "ledger.beancount"):
        assert (tmp_path / name).stat().st_size > 0
