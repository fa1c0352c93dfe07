"""Being told to stop: by a signal, by the end of whoever started us, or by another thread."""

import os
import signal
import sys
import threading
from types import FrameType


class Stop:
    """Set once, never taken back. Asked as a function by whatever runs until it is told to stop."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> bool:
        """Whether it is time to stop."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Returns after so many seconds, or when it is time to stop."""
        self._event.wait(seconds)

    def set(self) -> None:
        """From now on it is time to stop."""
        self._event.set()

    def on_signals(self) -> "Stop":
        """Stops on SIGTERM and SIGINT; a second one ends the process at once. For the main thread of a process."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._signalled)
        return self

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        self._event.set()

    def with_parent(self) -> "Stop":
        """Stops when standard input ends: a pipe whose other end the starting process holds, so that nothing outlives it."""
        threading.Thread(target=self._until_input_ends, name="parent", daemon=True).start()
        return self

    def _until_input_ends(self) -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        self._event.set()
