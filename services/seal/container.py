"""The one file of an export: a plain tar whose members come in a fixed order with fixed headers, so that there is one archive for one content.

Any tool that reads tar opens it. A verifier writes every header anew and compares it, so that no byte of the file is without a meaning.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
STATEMENT: Final = "statement.json"
ENTRIES: Final = "entries.jsonl"
PROOF: Final = "proof.json"
CHAIN: Final = "chain.jsonl"
RESULT: Final = "result.json"
MEMBERS: Final = (MANIFEST, SIGNATURE, STATEMENT, ENTRIES, PROOF, CHAIN, RESULT)
"""In the order in which they stand in the archive."""

BLOCK: Final = 512
END_BLOCKS: Final = 2
CHUNK: Final = 1 << 20
OCTAL: Final = re.compile(rb"[0-7]{11}")


@lru_cache
def header(name: str, size: int) -> bytes:
    """The header of a member: nothing but its name and size varies."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT)


def padding(size: int) -> bytes:
    """What fills a member's last block."""
    return bytes(-size % BLOCK)


def write(target: Path, members: Mapping[str, Path | bytes]) -> None:
    """Writes an archive of these members."""
    with target.open("wb") as archive:
        for name in MEMBERS:
            content = members[name]
            size = len(content) if isinstance(content, bytes) else content.stat().st_size
            archive.write(header(name, size))
            if isinstance(content, bytes):
                archive.write(content)
            else:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, archive, CHUNK)
            archive.write(padding(size))
        archive.write(bytes(BLOCK * END_BLOCKS))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member's bytes lie in the archive."""

    name: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was taken apart: its members, and, by member, what of its frame is not as it was written."""

    file: BinaryIO
    members: Mapping[str, Member]
    damaged: Sequence[tuple[str, str]]

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's bytes, some at a time."""
        member = self.members[name]
        self.file.seek(member.start)
        left = member.size
        while left:
            some = self.file.read(min(CHUNK, left))
            if not some:
                return
            left -= len(some)
            yield some

    def content(self, name: str) -> bytes:
        """All of a member's bytes."""
        return b"".join(self.chunks(name))

    def sha256(self, name: str) -> str:
        """SHA-256 of a member's bytes."""
        digest = hashlib.sha256()
        for some in self.chunks(name):
            digest.update(some)
        return digest.hexdigest()

    def ends_with_newline(self, name: str) -> bool:
        """Whether a member's last byte ends a line."""
        member = self.members[name]
        self.file.seek(member.start + max(0, member.size - 1))
        return self.file.read(1) == b"\n"

    def lines(self, name: str) -> Iterator[bytes]:
        """A member's lines, each without its end; what stands behind the last end of a line is a line too."""
        rest = b""
        for some in self.chunks(name):
            *whole, rest = (rest + some).split(b"\n")
            yield from whole
        if rest:
            yield rest


def take_apart(file: BinaryIO) -> Archive:
    """Finds the members. Where a header cannot be read, neither can those behind it; all of that is in `damaged`, and nothing is raised."""
    members: dict[str, Member] = {}
    damaged: list[tuple[str, str]] = []
    at = 0
    for name in MEMBERS:
        file.seek(at)
        found = file.read(BLOCK)
        size = _size(found)
        if size is None:
            damaged.append((name, "its header in the archive cannot be read"))
            return Archive(file, members, damaged)
        if found != header(name, size):
            damaged.append((name, "its header in the archive was changed"))
        members[name] = Member(name, at + BLOCK, size)
        at += BLOCK + size
        file.seek(at)
        filling = padding(size)
        if file.read(len(filling)) != filling:
            damaged.append((name, "the archive has something else where its last block is filled with zeros, or ends"))
        at += len(filling)
    file.seek(at)
    if file.read(BLOCK * END_BLOCKS + 1) != bytes(BLOCK * END_BLOCKS):
        damaged.append((MEMBERS[-1], "behind it the archive does not end as it was written"))
    return Archive(file, members, damaged)


def _size(found: bytes) -> int | None:
    """The size that a header names, or None."""
    digits = found[124:135]
    return int(digits, 8) if len(found) == BLOCK and OCTAL.fullmatch(digits) else None
