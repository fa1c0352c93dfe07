"""A server as a process: started as a daemon, found again by its pid file, stopped, killed. Nobody's process is ever touched but ours.

A process is ours when its command line holds the server's marker, a path inside the instance's state folder. A pid file whose number now belongs
to another program is stale; a process with the marker that no pid file names is an orphan.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Daemon:
    """One server of one instance: `name` for people, the files that belong to it, and the `marker` that its command line holds."""

    name: str
    pid_file: Path
    log_file: Path
    marker: str

    def launch(self, command: Sequence[str], *, user: str = "", lock_fd: int | None = None, env: dict[str, str] | None = None) -> psutil.Process:
        """Start `command` and return its process. `lock_fd` is held until the pid file is written (see launch.py)."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        arguments = [sys.executable, "-I", "-S", str(LAUNCHER), str(self.pid_file), str(self.log_file), user, *command]
        subprocess.run(arguments, check=True, start_new_session=True, pass_fds=() if lock_fd is None else (lock_fd,), env=env)
        return psutil.Process(self._read_pid())

    def _read_pid(self) -> int:
        """The number in the pid file; 0 where there is none that makes sense."""
        try:
            return int(self.pid_file.read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            return 0

    def process(self) -> psutil.Process | None:
        """The running server, or None."""
        pid = self._read_pid()
        if pid == 0:
            return None
        try:
            process = psutil.Process(pid)
        except psutil.NoSuchProcess:
            return None
        return process if self._is_ours(process) else None

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return any(self.marker in word for word in process.cmdline()) and str(LAUNCHER) not in process.cmdline()
        except psutil.Error:
            return False

    def stale(self) -> bool:
        """Whether a pid file is there without its server."""
        return self.pid_file.exists() and self.process() is None

    def orphans(self) -> tuple[psutil.Process, ...]:
        """Servers of this instance that no pid file names."""
        known = self._read_pid()
        return tuple(p for p in psutil.process_iter() if p.pid != known and self._is_ours(p))

    def forget(self) -> None:
        """Remove the pid file."""
        self.pid_file.unlink(missing_ok=True)

    def stop(self, how: signal.Signals, *, patience_s: float = 0) -> bool:
        """Ask the server to end with the signal `how`, wait, kill it if it takes longer than `patience_s`. True: it was running."""
        process = self.process()
        running = process is not None
        if process is not None:
            _end(process, how, patience_s)
        for orphan in self.orphans():
            _end(orphan, how, patience_s)
            running = True
        self.forget()
        return running

    def kill(self) -> bool:
        """End the server at once, as a crash would (SIGKILL), its children too, and wait until all are gone. True: it was running."""
        return self.stop(signal.SIGKILL)


def ended_within(process: psutil.Process, seconds: float) -> bool:
    """Wait for a process to end, `seconds` at most. One that ended and was not yet collected by its parent counts as ended."""
    try:
        descriptor = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else None
    except ProcessLookupError:
        return True
    if descriptor is None:  # not on Linux: psutil waits in its own way
        try:
            process.wait(timeout=seconds)
        except psutil.TimeoutExpired:
            return False
        return True
    try:
        if not process.is_running():  # its number belongs to another one by now
            return True
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _end(process: psutil.Process, how: signal.Signals, patience_s: float) -> None:
    """Signal, wait, kill. The children of a killed PostgreSQL are killed too and waited for, since they hold its shared memory."""
    try:
        children = process.children(recursive=True)
        process.send_signal(how)
    except psutil.NoSuchProcess:
        return
    if how is not signal.SIGKILL and ended_within(process, patience_s):
        return
    for one in (process, *children):
        _kill(one)
    for one in (process, *children):
        ended_within(one, 10)


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def processes_of(state_dir: Path, postgres_uri: str) -> list[tuple[int, str]]:
    """Processes of this user that run `clh run …` on the servers of a state folder: process and command; of a family the eldest."""
    found: dict[int, str] = {}
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if "run" not in words or not any(word == "services.cli" or Path(word).name == "clh" for word in words):
                continue
            told = process.environ()
            named = told.get("CLH_POSTGRES_URI")
            here = named == postgres_uri if named else Path(process.cwd(), told.get("CLH_STATE_DIR") or ".clh").resolve() == state_dir
            if here and process.ppid() not in found:
                found[process.pid] = " ".join(["clh", *words[words.index("run") :]])
        except psutil.Error:
            continue
    parents = {pid: psutil.Process(pid).ppid() if psutil.pid_exists(pid) else 0 for pid in found}
    return sorted((pid, command) for pid, command in found.items() if parents[pid] not in found)
