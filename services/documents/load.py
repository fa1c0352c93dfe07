"""From a path to text to plain values, with refusals as findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.documents.findings import Finding, UnusableFileError
from services.documents.yaml_text import YamlTextError, read_yaml

BYTES_MAX = 128 * 1024 * 1024
"""A larger file is refused before it is read into memory."""

_WAYS_OUT = {
    "not-yaml": "put text that holds : # { [ or * in quotes, close what was opened, and indent with spaces",
    "duplicate-key": "keep one of the two",
    "too-deep": "no field of these files lies that deep",
    "too-large": "write out what is needed, without aliases of aliases",
}


def unusable(file: str, code: str, reason: str, way_out: str, *, at: tuple[int, int] | None = None) -> UnusableFileError:
    """The error for a file that cannot be read at all; `at` is the line and column, from 1, where that is known."""
    line, column = at or (None, None)
    return UnusableFileError((Finding(file, line, column, "", code, reason, way_out),))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises UnusableFileError where it is missing, no file, unreadable or too large."""
    try:
        if path.is_dir():
            raise unusable(str(path), "unreadable", "is a folder, not a file", "name the file in it")
        if path.stat().st_size > BYTES_MAX:
            raise unusable(str(path), "too-large", f"has more than {BYTES_MAX} bytes", "put events into an events_file, compressed with gzip")
        return path.read_bytes()
    except FileNotFoundError:
        raise unusable(str(path), "unreadable", "there is no such file", "check the name; a path inside a file counts from that file's folder") from None
    except OSError as error:
        raise unusable(str(path), "unreadable", f"cannot be read: {error.strerror or error}", "check who may read it") from None


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without the byte order mark that some editors put first. Raises UnusableFileError."""
    data = read_bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise unusable(str(path), "not-utf-8", f"the byte 0x{data[error.start]:02X} is not UTF-8", "save the file as UTF-8", at=(line, column)) from None


def parse_mapping(text: str, file: str) -> dict[str, Any]:
    """The mapping that a YAML text holds. `file` names it in findings. Raises UnusableFileError."""
    try:
        value = read_yaml(text)
    except YamlTextError as problem:
        raise unusable(file, problem.code, problem.reason, _WAYS_OUT[problem.code], at=(problem.line, problem.column)) from None
    if not isinstance(value, dict):
        raise unusable(file, "wrong-type", "holds no mapping of fields", "begin with a field and a colon", at=(1, 1))
    return value
