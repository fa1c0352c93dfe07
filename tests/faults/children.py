"""Children of a test: real processes that can be killed, stopped and let go on."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.synchronize import Barrier
from types import TracebackType
from typing import Any, Self

import psutil

from tests.faults import child

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.child"])
PATIENCE_S = 100.0


class Child:
    """One child, from its start; with `with`, nothing of it is left afterwards."""

    def __init__(self, target: Callable[..., None], *args: Any) -> None:
        self.told, telling = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=child.run, args=(target, telling, args), daemon=True)
        self.process.start()
        telling.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.join()
        self.told.close()

    @property
    def alive(self) -> bool:
        """Whether it still runs, or is stopped."""
        return self.process.is_alive()

    def hear(self) -> Any:
        """The next thing that it says; fails when it ends without a word."""
        assert self.told.poll(PATIENCE_S), "the child said nothing"
        return self.told.recv()

    def was_killed(self) -> None:
        """Returns when it was killed with -9; fails when it ended in another way."""
        self._join(-signal.SIGKILL)

    def ended(self) -> None:
        """Returns when it ended well; fails with its own words when it did not."""
        self._join(0)

    def stop(self) -> None:
        """Tells it to stop, and waits until it has."""
        self._signal(signal.SIGTERM)
        self.ended()

    def is_frozen(self) -> bool:
        """Whether it stands still."""
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def thaw(self) -> None:
        """Lets it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def _join(self, expected: int) -> None:
        self.process.join(PATIENCE_S)
        words = [f"exit code {self.process.exitcode}, expected {expected}"]
        with suppress(EOFError):
            while self.process.exitcode != expected:
                words.append(str(self.told.recv()))
        assert self.process.exitcode == expected, "\n".join(words)


def barrier(parties: int) -> Barrier:
    """Where so many children wait for each other."""
    return CONTEXT.Barrier(parties)
