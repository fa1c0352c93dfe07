"""Kafka and PostgreSQL in containers, by docker compose, from docker-compose.yml of this project. For those who prefer it: `clh dev up --docker`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from services.runtime.errors import LocalRuntimeError, MissingToolError, NotRunningError
from services.runtime.jars import KAFKA_VERSION
from services.runtime.kafka import broker_answers, new_cluster_id
from services.runtime.postgres import DATABASE, SUPERUSER, server_version
from services.runtime.progress import Progress, silent
from services.runtime.state import ALL, Addresses, Record, Server, ServerStatus, StateDir, free_ports

START_S = 120
FILE = Path(__file__).resolve().parents[2] / "docker-compose.yml"


class ComposeInstance:
    """The servers of one state folder as containers. Ports and password are chosen and kept as for processes."""

    def __init__(self, state_dir: Path) -> None:
        self.state = StateDir.at(state_dir)

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

    def up(self, progress: Progress | None = None, *, servers: Iterable[Server] = ALL) -> Addresses:
        """Start the containers, and return when both answer. Raises LocalRuntimeError."""
        report = progress or silent
        servers = tuple(servers)
        with self.state.locked():
            record = self.state.record() or self._new_record()
            report("Containers", 0, None)
            self._compose(record, "up", "--detach", *servers)
            addresses = self._addresses(record)
            if not _await(addresses, servers):
                raise LocalRuntimeError(f"the containers run but do not answer; see: {' '.join(_command())} --project-name {self._project} logs")
            report("Containers", 1, 1)
            return addresses

    def down(self) -> tuple[Server, ...]:
        """Stop and remove the containers; the volumes with their data stay. Returns what was running."""
        record = self.state.record()
        if record is None:
            return ()
        running = tuple(state.server for state in self.status() if state.answers)
        with self.state.locked():
            self._compose(record, "down")
        return running

    def status(self) -> tuple[ServerStatus, ...]:
        """Each server, asked now. What runs in a container has no process number here."""
        record = self.state.record()
        if record is None:
            return tuple(ServerStatus(server, None, None, answers=False, version=None, memory_mb=0, log=self.state.logs) for server in ALL)
        at = self._addresses(record)
        version = server_version(at.postgres_uri)
        kafka = broker_answers(at.kafka_bootstrap, patience_s=3)
        books = f"127.0.0.1:{record.postgres_port}"
        return (
            ServerStatus(Server.POSTGRES, None, books, answers=version is not None, version=version, memory_mb=0, log=self.state.logs),
            ServerStatus(Server.KAFKA, None, at.kafka_bootstrap, answers=kafka, version=KAFKA_VERSION if kafka else None, memory_mb=0, log=self.state.logs),
        )

    def reset(self) -> None:
        """Remove the containers, their volumes and the state folder."""
        record = self.state.record()
        if record is not None:
            self._compose(record, "down", "--volumes")
        shutil.rmtree(self.state.root, ignore_errors=True)

    @property
    def _project(self) -> str:
        """Compose's name for this instance: several state folders do not meet."""
        return self.state.sockets.name

    def _addresses(self, record: Record) -> Addresses:
        uri = f"postgresql://{SUPERUSER}:{self.state.password()}@127.0.0.1:{record.postgres_port}/{DATABASE}"
        return Addresses(uri, f"127.0.0.1:{record.kafka_port}")

    def _new_record(self) -> Record:
        postgres, kafka, controller = free_ports(3)
        record = Record(postgres_port=postgres, kafka_port=kafka, controller_port=controller, cluster_id=new_cluster_id(), docker=True)
        self.state.keep(record)
        return record

    def _compose(self, record: Record, *arguments: str) -> None:
        told = {
            "CLH_POSTGRES_PORT": str(record.postgres_port),
            "CLH_KAFKA_PORT": str(record.kafka_port),
            "CLH_POSTGRES_PASSWORD": self.state.password(),
            "CLH_KAFKA_CLUSTER_ID": record.cluster_id,
        }
        command = [*_command(), "--project-name", self._project, "--file", str(FILE), *arguments]
        done = subprocess.run(command, env={**os.environ, **told}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LocalRuntimeError(f"{json.dumps(arguments)} of docker compose failed: {done.stderr.strip() or done.stdout.strip()}")


def _await(addresses: Addresses, servers: Iterable[Server]) -> bool:
    """Ask until the servers answer; False when they did not within START_S."""
    deadline = time.monotonic() + START_S
    asks = {
        Server.POSTGRES: lambda: server_version(addresses.postgres_uri) is not None,
        Server.KAFKA: lambda: broker_answers(addresses.kafka_bootstrap, patience_s=1),
    }
    for server in servers:
        while not asks[server]():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)  # a port that is forwarded takes connections before anybody is behind it: do not spin
    return True


def _command() -> list[str]:
    """The compose command of this machine. Raises MissingToolError."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    for name in ("docker-compose", "podman-compose"):
        if shutil.which(name):
            return [name]
    raise MissingToolError("docker compose is not installed; leave out --docker, or install it")
