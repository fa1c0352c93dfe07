"""What programs and tests call: `ensure()` gives addresses from the environment, or from an instance that runs, or starts one.

Several instances live side by side, each in its own state folder. A state folder holds processes of this machine (instance.py) or
containers (compose.py); which of them was chosen when it was made.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from services.runtime.compose import ComposeInstance
from services.runtime.errors import BadAddressError, NoHouseError
from services.runtime.instance import Instance
from services.runtime.progress import Progress
from services.runtime.state import ALL, Addresses, Server, ServerStatus, StateDir
from services.settings import settings

__all__ = ["ALL", "Addresses", "Instance", "Runs", "Server", "ServerStatus", "ensure", "instance_at"]


class Runs(Protocol):
    """What both kinds of instance can do."""

    @property
    def root(self) -> Path: ...

    @property
    def addresses(self) -> Addresses: ...

    def up(self, progress: Progress | None = None, *, servers: Iterable[Server] = ALL) -> Addresses: ...

    def down(self) -> tuple[Server, ...]: ...

    def status(self) -> tuple[ServerStatus, ...]: ...

    def reset(self) -> None: ...


def instance_at(state_dir: Path, *, docker: bool = False, owned: bool = False) -> Runs:
    """The instance in `state_dir`, of the kind it was made as; `docker` says it for a new one. Containers are never owned."""
    record = StateDir.at(state_dir).record()
    if docker if record is None else record.docker:
        return ComposeInstance(state_dir)
    return Instance(state_dir, owned=owned)


def ensure(state_dir: Path | None = None, progress: Progress | None = None, *, owned: bool = False, make: bool = True) -> Addresses:
    """Addresses at which PostgreSQL and Kafka answer.

    What the environment names (CLH_POSTGRES_URI, CLH_KAFKA_BOOTSTRAP) is taken as it is; for the rest the instance in `state_dir` (default:
    CLH_STATE_DIR, or `.clh` here) is started unless it runs. With `owned`, what is started here ends with this process. Where there is no
    instance, one is made, and standard error says where; without `make`, `NoHouseError` is raised. Raises LocalRuntimeError.
    """
    told = settings()
    if told.postgres_uri:
        _expect_postgres_uri(told.postgres_uri)
    if told.postgres_uri and told.kafka_bootstrap:
        return Addresses(told.postgres_uri, told.kafka_bootstrap)
    wanted = tuple(s for s, address in ((Server.POSTGRES, told.postgres_uri), (Server.KAFKA, told.kafka_bootstrap)) if not address)
    instance = instance_at(state_dir or told.state_dir, owned=owned)
    if StateDir.at(instance.root).record() is None:
        if not make:
            raise NoHouseError(instance.root)
        if not owned:
            sys.stderr.write(f"a new house is made in {instance.root}\n")
    local = instance.up(progress, servers=wanted)
    return Addresses(told.postgres_uri or local.postgres_uri, told.kafka_bootstrap or local.kafka_bootstrap)


def _expect_postgres_uri(uri: str) -> None:
    import psycopg

    try:
        if psycopg.conninfo.conninfo_to_dict(uri) and uri.startswith(("postgresql://", "postgres://")):
            return
    except psycopg.ProgrammingError:
        pass
    raise BadAddressError("CLH_POSTGRES_URI", "postgresql://user:password@host:5432/books")
