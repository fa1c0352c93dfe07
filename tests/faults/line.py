"""A line between a processor and the database that can be cut at the worst moment: when a commit has been done, and nobody has been told."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

BYTES = 65_536


class Line:
    """Passes bytes on in both directions. Armed, it lets the next COMMIT through, waits for the answer, and is dead before it passes it on."""

    def __init__(self, uri: str) -> None:
        self._to = urlsplit(uri)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._armed = threading.Event()
        self.cut = 0
        """How often it was cut."""
        login = f"{self._to.username}:{self._to.password}"
        self.uri = urlunsplit(self._to._replace(netloc=f"{login}@127.0.0.1:{self._listening.getsockname()[1]}"))

    def arm(self) -> None:
        """The next commit on any of its connections is its last."""
        self._armed.set()

    def accept(self) -> None:
        """Takes connections until it is closed."""
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.create_connection((self._to.hostname or "", self._to.port or 0)) as far:
            dying = threading.Event()
            back = threading.Thread(target=self._answers, args=(far, near, dying), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := near.recv(BYTES):
                    if self._armed.is_set() and b"COMMIT" in data:
                        self._armed.clear()
                        dying.set()
                    far.sendall(data)
                far.shutdown(socket.SHUT_WR)
            back.join()

    def _answers(self, far: socket.socket, near: socket.socket, dying: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(BYTES):
                if dying.is_set():
                    self.cut += 1
                    break
                near.sendall(data)
            near.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def line(uri: str) -> Iterator[Line]:
    """A line to the database at an address."""
    one = Line(uri)
    thread = threading.Thread(target=one.accept)
    thread.start()
    try:
        yield one
    finally:
        one.close()
        thread.join()
