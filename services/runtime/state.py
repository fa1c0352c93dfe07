"""The state folder of one local instance: where everything lies, what was chosen when it was made, and the lock.

.clh/instance.json    ports, Kafka's cluster id, which addresses it has (0600)
.clh/password         the password of PostgreSQL's superuser (0600)
.clh/lock             held while servers are started or stopped
.clh/run/             pid files and Kafka's configuration
.clh/logs/            postgres.log, kafka.log
.clh/data/            the data of both
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from services.runtime.errors import DamagedError

SERVER_PORTS = range(15_000, 30_000)
"""Not those for well-known services, and not those that Linux (from 32768), macOS and the BSDs (from 49152) give to clients."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the books and the broker answer."""

    postgres_uri: str
    kafka_bootstrap: str


class Server(StrEnum):
    """The servers of an instance."""

    POSTGRES = "postgres"
    KAFKA = "kafka"


ALL = (Server.POSTGRES, Server.KAFKA)


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """How one server is: `pid` None means no process; `answers` whether it was asked and answered just now."""

    server: Server
    pid: int | None
    address: str | None
    answers: bool
    version: str | None
    memory_mb: int
    log: Path


class Record(BaseModel):
    """What `instance.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    postgres_port: int
    kafka_port: int
    controller_port: int
    cluster_id: str
    docker: bool = False


@dataclass(frozen=True, slots=True)
class StateDir:
    """The paths inside a state folder."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> StateDir:
        """The folder at `path`, absolute; it is not made yet."""
        return cls(path.expanduser().resolve())

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def record_file(self) -> Path:
        return self.root / "instance.json"

    @property
    def sockets(self) -> Path:
        """The folder of PostgreSQL's socket: short, since a socket's path may have 107 bytes; the same for the same state folder."""
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"clh-{os.getuid()}-{name}"

    def make(self) -> None:
        """Make the folders that are missing; only their owner may enter."""
        for folder in (self.root, self.run, self.logs, self.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def record(self) -> Record | None:
        """What was chosen for this instance, or None if it was never made. Raises DamagedError for a file that makes no sense."""
        try:
            return Record.model_validate_json(self.record_file.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise DamagedError(f"{self.record_file} is damaged ({error.error_count()} errors); `clh dev reset` makes the instance anew") from error

    def keep(self, record: Record) -> None:
        """Write `instance.json`, whole or not at all."""
        write_private(self.record_file, record.model_dump_json(indent=2) + "\n")

    def password(self) -> str:
        """The password of PostgreSQL's superuser, made at the first call."""
        file = self.root / "password"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(24))
        return file.read_text(encoding="ascii").strip()

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the instance's lock; waits for whoever holds it. Yields its file descriptor. Freed when the process ends, however it ends."""
        self.make()
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
    new.replace(file)


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of 127.0.0.1 that nobody listens on now, all different. They are not reserved: who starts a server must bear losing one.

    They lie below those that the system gives to clients: while a server is down, a client that tries to reach it could be given its port,
    and would then talk to itself and keep the server from coming back.
    """
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(SERVER_PORTS)
        if port not in found and port_is_free(port):
            found.append(port)
    return tuple(found)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
