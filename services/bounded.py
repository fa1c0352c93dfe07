"""Files of others, read whole, and no further than they may be long."""

from __future__ import annotations

from pathlib import Path


class TooLarge(Exception):
    """The file is longer than it may be; nothing of it is used."""

    def __init__(self, path: Path, bytes_max: int) -> None:
        super().__init__(f"{path} is larger than {bytes_max:,} bytes")
        self.path = path
        self.bytes_max = bytes_max


def read_bounded(path: Path, bytes_max: int) -> bytes:
    """All bytes of a file; no more than one beyond the bound is ever read. Raises OSError and `TooLarge`."""
    with path.open("rb") as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise TooLarge(path, bytes_max)
    return content
