"""How long it takes to seal a window that was closed, to export all of it, and to verify the export, by `clh verify` and by the auditor's file.

The limit beside it: SHA-256 over the bytes of the same export, which no verifier can do without.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from services.house import House
from services.journal.migrate import connect, schema_of
from services.seal.container import sha256_of
from services.seal.export import export
from services.seal.keys import FileSigner, generate
from services.seal.sealing import seal_due
from tests.bench import workload
from tests.bench.booking import SPAWN, peak_mb
from tests.bench.closing import measure_closing

AUDITOR = Path(__file__).parents[2] / "deploy" / "verify_export.py"


@dataclass(slots=True)
class Proved:
    """Seconds, and memory in MiB, for one window."""

    leaves: int
    export_mb: float
    seal_s: float
    seal_peak_mb: float
    export_s: float
    verify_s: float
    verify_peak_mb: float
    auditor_s: float
    sha256_s: float


def seal(house: House, name: str, folder: Path, report: Any) -> None:
    """Seals and exports, in a process of its own."""
    signer = FileSigner(folder / "key.pem")
    with connect(house.postgres_uri, schema_of(name), autocommit=True) as connection:
        sealed = _timed(lambda: seal_due(connection, signer))
        counted = connection.execute("select leaves from seal order by no desc limit 1").fetchone()
        assert counted is not None
        exported = _timed(lambda: export(connection, workload.DAY, "opco", signer, folder / "opco.clh.tar"))
    report.put((counted[0], sealed, exported, peak_mb()))


def measure_sealing(house: House, name: str, folder: Path) -> Proved:
    """Seals the window that `measure_closing` left behind, and proves its export twice."""
    generate(folder / "key.pem", folder / "keys.txt", "bench")
    report = SPAWN.Queue()
    process = SPAWN.Process(target=seal, args=(house, name, folder, report))
    process.start()
    leaves, sealed, exported, peak = report.get(timeout=3600)
    process.join()
    path, keys = folder / "opco.clh.tar", folder / "keys.txt"
    hashed = _timed(lambda: sha256_of(path))
    verified, verify_peak = _run([sys.executable, "-m", "services.cli", "verify", str(path), "--public-key", str(keys)])
    audited, _ = _run([sys.executable, "-I", str(AUDITOR), str(path), str(keys)])
    return Proved(leaves, path.stat().st_size / 2**20, sealed, peak, exported, verified, verify_peak, audited, hashed)


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _run(command: list[str]) -> tuple[float, float]:
    """Seconds of a command that must succeed, and the most memory of any of its processes."""
    begun, peak = time.perf_counter(), 0
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        for one in (process, *process.children()):
            try:
                peak = max(peak, one.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        try:
            process.wait(0.2)
        except psutil.TimeoutExpired:
            continue
    assert process.returncode == 0, command
    return time.perf_counter() - begun, peak / 2**20


if __name__ == "__main__":
    import json
    import tempfile

    here = House.here(Path(os.environ.get("CLH_STATE_DIR", ".clh")))
    measure_closing(here, "bench-seal", int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    with tempfile.TemporaryDirectory() as place:
        sys.stdout.write(
            json.dumps({name: round(value, 2) for name, value in asdict(measure_sealing(here, "bench-seal", Path(place))).items()}, indent=2) + "\n"
        )
