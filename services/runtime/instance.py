"""The servers of one state folder as processes of this machine.

An instance outlives the process that started it, until `down()`; an owned one ends with its owner (watchdog.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.runtime.errors import NotRunningError, PortTakenError
from services.runtime.jars import KAFKA_VERSION
from services.runtime.kafka import Kafka, broker_answers, new_cluster_id
from services.runtime.postgres import Postgres, server_version
from services.runtime.process import Daemon
from services.runtime.progress import Progress, silent
from services.runtime.state import ALL, Addresses, Record, Server, ServerStatus, StateDir, free_ports, port_is_free

PORT_TRIES = 3
_PROJECT = Path(__file__).resolve().parents[2]

# The watchdogs of what this process owns, by state folder. Kept here, not in an Instance: their pipes have to stay open until the process ends.
_WATCHDOGS: dict[Path, tuple[subprocess.Popen[bytes], frozenset[Server]]] = {}


class Instance:
    """The servers of one state folder. Every change holds the folder's lock, so calls from several processes follow one another."""

    def __init__(self, state_dir: Path, *, owned: bool = False) -> None:
        """The instance in `state_dir`. With `owned`, the servers that are started here end with this process."""
        self.state = StateDir.at(state_dir)
        self.owned = owned
        self.postgres = Postgres(self.state)
        self.kafka = Kafka(self.state)

    # What it is

    @property
    def root(self) -> Path:
        """The state folder."""
        return self.state.root

    @property
    def addresses(self) -> Addresses:
        """Where the servers are, whether or not they run now. Raises NotRunningError if this instance was never started."""
        record = self.state.record()
        if record is None:
            raise NotRunningError(self.state.root)
        return self._addresses(record)

    def daemon(self, server: Server) -> Daemon:
        """The process of one server."""
        return self.postgres.daemon if server is Server.POSTGRES else self.kafka.daemon

    def running(self, server: Server) -> bool:
        """Whether the server's process is there."""
        return self.daemon(server).process() is not None

    def status(self) -> tuple[ServerStatus, ...]:
        """Each server, asked now."""
        record = self.state.record()
        return tuple(self._status(server, record) for server in ALL)

    # Changing it

    def up(self, progress: Progress | None = None, *, servers: Iterable[Server] = ALL) -> Addresses:
        """Start what does not run, both at the same time, and return when both answer. Raises LocalRuntimeError."""
        with self.state.locked() as lock_fd:
            missing = tuple(s for s in servers if not self.running(s))
            for server in missing:
                self.daemon(server).kill()  # clears a stale pid file, and an orphan that would hold the data
            record = self.state.record() or self._new_record()
            if missing:
                if self.owned:
                    self._follow_me(missing)
                record = self._start(missing, record, lock_fd, progress or silent)
            return self._addresses(record)

    def down(self, servers: Iterable[Server] = ALL, *, at_once: bool = False) -> tuple[Server, ...]:
        """Stop what runs; nothing of it is left. `at_once` ends it as a crash would (no data is lost that was committed). Returns what was running."""
        if not self.state.root.exists():
            return ()
        with self.state.locked():
            chosen = tuple(servers)
            with ThreadPoolExecutor(len(ALL)) as pool:
                was_running = tuple(pool.map(lambda server: self._stop(server, at_once=at_once), chosen))
            if set(chosen) == set(ALL):
                self._let_go()
            return tuple(server for server, running in zip(chosen, was_running, strict=True) if running)

    def reset(self) -> None:
        """Stop everything and remove the data, the logs and the addresses of this instance."""
        self.down(at_once=True)
        shutil.rmtree(self.state.root, ignore_errors=True)

    # For tests of what happens when a server goes away

    def start_postgres(self) -> None:
        """Start PostgreSQL if it does not run, on the port it had."""
        self.up(servers=(Server.POSTGRES,))

    def start_kafka(self) -> None:
        """Start Kafka if it does not run, on the port it had."""
        self.up(servers=(Server.KAFKA,))

    def stop_postgres(self) -> None:
        """Shut PostgreSQL down in good order."""
        self.down((Server.POSTGRES,))

    def stop_kafka(self) -> None:
        """Shut Kafka down in good order."""
        self.down((Server.KAFKA,))

    def kill_postgres(self) -> None:
        """End PostgreSQL as a crash would."""
        self.down((Server.POSTGRES,), at_once=True)

    def kill_kafka(self) -> None:
        """End Kafka as a crash would."""
        self.down((Server.KAFKA,), at_once=True)

    def restart_postgres(self) -> None:
        """Shut PostgreSQL down and start it again on the same port."""
        self.stop_postgres()
        self.start_postgres()

    def restart_kafka(self) -> None:
        """Shut Kafka down and start it again on the same port."""
        self.stop_kafka()
        self.start_kafka()

    # Leaves

    def _addresses(self, record: Record) -> Addresses:
        return Addresses(self.postgres.uri(record.postgres_port), f"127.0.0.1:{record.kafka_port}")

    def _new_record(self) -> Record:
        postgres, kafka, controller = free_ports(3)
        record = Record(postgres_port=postgres, kafka_port=kafka, controller_port=controller, cluster_id=new_cluster_id())
        self.state.keep(record)
        return record

    def _start(self, missing: tuple[Server, ...], record: Record, lock_fd: int, progress: Progress) -> Record:
        """Start the servers in parallel; a port that another program took meanwhile is exchanged."""
        for _ in range(PORT_TRIES - 1):
            record = self._with_free_ports(missing, record)
            try:
                self._start_once(missing, record, lock_fd, progress)
            except PortTakenError:
                continue
            return record
        record = self._with_free_ports(missing, record)
        self._start_once(missing, record, lock_fd, progress)
        return record

    def _with_free_ports(self, missing: tuple[Server, ...], record: Record) -> Record:
        """The record, with other ports for servers that are not running and whose ports are taken."""
        names = {Server.POSTGRES: ("postgres_port",), Server.KAFKA: ("kafka_port", "controller_port")}
        taken = [name for s in missing if not self.running(s) for name in names[s] if not port_is_free(getattr(record, name))]
        if not taken:
            return record
        changed = record.model_copy(update=dict(zip(taken, free_ports(len(taken)), strict=True)))
        self.state.keep(changed)
        return changed

    def _start_once(self, missing: tuple[Server, ...], record: Record, lock_fd: int, progress: Progress) -> None:
        steps = {Server.POSTGRES: "PostgreSQL", Server.KAFKA: "Kafka"}

        def start(server: Server) -> None:
            if self.running(server):
                return
            progress(steps[server], 0, None)
            if server is Server.POSTGRES:
                self.postgres.start(record.postgres_port, lock_fd)
            else:
                self.kafka.start(record, lock_fd, progress)
            progress(steps[server], 1, 1)

        with ThreadPoolExecutor(len(missing)) as pool:
            started = [pool.submit(start, server) for server in missing]
        for one in started:
            one.result()

    def _stop(self, server: Server, *, at_once: bool) -> bool:
        return self.postgres.stop(at_once=at_once) if server is Server.POSTGRES else self.kafka.stop(at_once=at_once)

    def _follow_me(self, servers: tuple[Server, ...]) -> None:
        """Start the watchdog, before the servers it will have to end."""
        _, followed = _WATCHDOGS.get(self.root, (None, frozenset[Server]()))
        if followed.issuperset(servers):
            return
        self._let_go()
        followed |= frozenset(servers)
        command = [sys.executable, "-m", "services.runtime.watchdog", str(self.state.root), str(os.getpid()), *followed]
        with (self.state.logs / "watchdog.log").open("ab") as log:
            watchdog = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, cwd=_PROJECT)
        _WATCHDOGS[self.root] = (watchdog, followed)

    def _let_go(self) -> None:
        """Tell our watchdog, if we have one, that there is nothing left to do."""
        watchdog, _ = _WATCHDOGS.pop(self.root, (None, None))
        if watchdog is None:
            return
        try:
            watchdog.communicate(b"k")
        except BrokenPipeError:
            watchdog.wait()

    def _status(self, server: Server, record: Record | None) -> ServerStatus:
        daemon = self.daemon(server)
        process = daemon.process()
        if record is None or process is None:
            return ServerStatus(server, None, None, answers=False, version=None, memory_mb=0, log=daemon.log_file)
        memory_mb = sum(p.memory_info().rss for p in (process, *process.children())) // 2**20
        if server is Server.POSTGRES:
            version = server_version(self.postgres.uri(record.postgres_port))
            return ServerStatus(server, process.pid, f"127.0.0.1:{record.postgres_port}", version is not None, version, memory_mb, daemon.log_file)
        bootstrap = f"127.0.0.1:{record.kafka_port}"
        return ServerStatus(server, process.pid, bootstrap, broker_answers(bootstrap, patience_s=3), KAFKA_VERSION, memory_mb, daemon.log_file)
