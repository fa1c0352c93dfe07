"""The house's processes for the demo: booking, telling and counting live; each with its own log file."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from services.house import House
from services.processes.children import CLH

PATIENCE_S = 10.0


class WorkerEnded(RuntimeError):
    """A process of the house ended by itself; its log says why."""

    def __init__(self, name: str, log: Path) -> None:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        super().__init__(f"{name} ended by itself; {log}: {' / '.join(last) or 'empty'}")


class Workers:
    """Runs the processes of one programme; standard input of each is a pipe that we hold, so that they end with us."""

    def __init__(self, house: House, programme: str, logs: Path) -> None:
        """`logs`: the folder for their logs, made where it is missing."""
        self._commands: dict[str, Sequence[str]] = {
            "accrual": (*CLH, "run", "accrual", "--programme", programme, "--with-parent"),
            "relay": (*CLH, "run", "relay", "--programme", programme, "--with-parent"),
            "insights": (*CLH, "run", "insights", "--programme", programme, "--with-parent"),
        }
        self._environment = {**os.environ, "CLH_POSTGRES_URI": house.postgres_uri, "CLH_KAFKA_BOOTSTRAP": house.kafka_bootstrap}
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        for name, command in self._commands.items():
            log = self._log(name).open("wb")
            self._files.append(log)
            self._running[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=self._environment, start_new_session=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for child in self._running.values():
            child.terminate()
        deadline = time.monotonic() + PATIENCE_S
        for child in self._running.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            assert child.stdin is not None
            child.stdin.close()
        for log in self._files:
            log.close()

    def look(self) -> None:
        """Raises `WorkerEnded` where one of them has ended."""
        for name, child in self._running.items():
            if child.poll() is not None:
                raise WorkerEnded(name, self._log(name))

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"
