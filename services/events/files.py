"""Files of events: one event a line, as they are or packed by gzip, or from standard input."""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

STDIN = Path("-")
SPOOL_BYTES = 16_000_000
GZIP_MAGIC = b"\x1f\x8b"


class UnreadableFile(Exception):
    """A file of events that cannot be read; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank, numbered from 1."""

    no: int
    value: bytes


@contextmanager
def opened(path: Path) -> Iterator[EventFile]:
    """The file of that name, unpacked if need be; `-` is standard input, kept aside so that it can be read twice. Raises `UnreadableFile`."""
    try:
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) if path == STDIN else path.open("rb") as file:
            if path == STDIN:
                shutil.copyfileobj(sys.stdin.buffer, file)
                file.seek(0)
            yield EventFile("standard input" if path == STDIN else str(path), file)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from None


class EventFile:
    """An open file, whose lines may be read several times."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.name = name
        self._file = file

    def lines(self) -> Iterator[Line]:
        """Every line that is not blank, byte for byte. Raises `UnreadableFile` where a packed file is damaged."""
        self._file.seek(0)
        packed = self._file.read(2) == GZIP_MAGIC
        self._file.seek(0)
        unpacked: IO[bytes] = io.BufferedReader(gzip.GzipFile(fileobj=self._file)) if packed else self._file
        try:
            for no, line in enumerate(unpacked, 1):
                value = line.rstrip(b"\r\n")
                if value.strip():
                    yield Line(no, value)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise UnreadableFile(f"{self.name} is not a whole gzip file") from None
