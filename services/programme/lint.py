"""Linting: what is wrong with a programme file, and what is known to go wrong with such programmes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from schemas.programme import ProgrammeFile
from services.documents.explain import in_file_order
from services.documents.findings import Finding, Severity
from services.documents.load import read_text
from services.documents.places import field_path, locate
from services.documents.yaml_text import read_yaml_with_marks
from services.programme.advice import Advice, advise
from services.programme.read import ProgrammeError, parse_programme


def lint_programme(path: Path) -> tuple[Finding, ...]:
    """Findings about a programme file, in its order: its errors, or else the warnings about it.

    Raises UnusableFileError where the file cannot be read at all.
    """
    return lint_text(read_text(path), str(path))


def lint_text(text: str, name: str) -> tuple[Finding, ...]:
    """As `lint_programme`, of a text; `name` stands for the file in findings. Raises UnusableFileError."""
    try:
        file = parse_programme(text, name)
    except ProgrammeError as error:
        return error.findings
    return warnings(file, text, name)


def warnings(file: ProgrammeFile, text: str, name: str) -> tuple[Finding, ...]:
    """Warnings about a programme that can be used; `text` is the YAML that it was read from."""
    return placed(advise(file), text, name, Severity.WARNING)


def placed(advices: Iterable[Advice], text: str, name: str, severity: Severity) -> tuple[Finding, ...]:
    """Advice as findings, each with the line that it is about."""
    advices = tuple(advices)
    if not advices:
        return ()
    data, marks = read_yaml_with_marks(text)
    findings = []
    for advice in advices:
        place = locate(data, marks, advice.place)
        field = field_path(place.path)
        findings.append(Finding(name, place.line, place.column, field, advice.code, advice.reason, advice.way_out, severity))
    return tuple(in_file_order(findings))
