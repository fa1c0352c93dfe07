"""Reading a programme file: from a path or text to `ProgrammeFile`, or everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from schemas.programme import ProgrammeFile
from services.documents.explain import explain
from services.documents.findings import FileError, UnusableFileError
from services.documents.load import parse_mapping, read_text, unusable


class ProgrammeError(FileError):
    """A programme file with errors: it can be read, but not used."""


def read_programme(path: Path) -> ProgrammeFile:
    """The programme of a file.

    Raises UnusableFileError (missing, not UTF-8, not YAML, no mapping) or ProgrammeError (fields that are wrong), each with findings.
    """
    return parse_programme(read_text(path), str(path))


def parse_programme(text: str, name: str) -> ProgrammeFile:
    """The programme of a YAML text; `name` stands for the file in findings. Raises as `read_programme`."""
    data = parse_mapping(text, name)
    if "scenario" in data and "days" in data:
        raise unusable(name, "scenario-file", "this is a scenario, not a programme", "run it with `clh scenario run`; its programme stands under `programme`")
    try:
        return ProgrammeFile.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ProgrammeError(explain(error, text, name, ProgrammeFile)) from None


__all__ = ["ProgrammeError", "UnusableFileError", "parse_programme", "read_programme"]
