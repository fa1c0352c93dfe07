"""What a process of the house loads: most of what a short command takes is the loading of libraries."""

from __future__ import annotations

import subprocess
import sys

SAID = "import sys, services.house, services.accrual.processor, services.outbox.relay; print(*{name.partition('.')[0] for name in sys.modules})"


def test_processes_that_do_not_migrate_load_nothing_that_migrates() -> None:
    loaded = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True).stdout.split()
    assert "psycopg" in loaded
    assert not {"sqlalchemy", "alembic", "mako"} & set(loaded)
