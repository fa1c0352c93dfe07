"""What can go wrong with the local servers. Each error says what to do next; the facts are attributes."""

from __future__ import annotations

from pathlib import Path


class LocalRuntimeError(Exception):
    """The local Kafka or PostgreSQL cannot be used as asked."""


class ServerDidNotStartError(LocalRuntimeError):
    """A server ended, or gave no answer in time, while it was starting."""

    def __init__(self, server: str, log: Path, reason: str) -> None:
        super().__init__(f"{server} did not start: {reason}. Its log: {log}")
        self.server = server
        self.log = log
        self.reason = reason


class PortTakenError(ServerDidNotStartError):
    """Another program took the port between the moment it was found free and the start; starting again with another port helps."""


class NotRunningError(LocalRuntimeError):
    """The local instance is asked for, but it is down."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(f"nothing runs in {state_dir}; start it with: clh dev up")
        self.state_dir = state_dir


class NoHouseError(LocalRuntimeError):
    """A command that only reads or sends found neither addresses nor an instance, and makes none."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(f"no house in {state_dir}; `clh dev up` makes one, CLH_STATE_DIR names one elsewhere")
        self.state_dir = state_dir


class BadAddressError(LocalRuntimeError):
    """An address in the environment is none. It may hold a password: it is not repeated."""

    def __init__(self, variable: str, such_as: str) -> None:
        super().__init__(f"{variable} is no address that can be used; it has to look like {such_as}")
        self.variable = variable


class DamagedError(LocalRuntimeError):
    """A downloaded file, or a file of the state folder, is not what it should be."""


class MissingToolError(LocalRuntimeError):
    """A program or a package that is needed is not there."""
