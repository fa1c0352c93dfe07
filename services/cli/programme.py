"""`clh programme`: programme files checked, shown, compared, applied."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from services.cli.books import OneProgramme
from services.cli.findings import FOUND, as_json, exit_code, print_findings
from services.cli.house import only_programme, servers
from services.cli.output import Format, Output, fail, out, print_json, say

if TYPE_CHECKING:
    from schemas.programme import ProgrammeFile
    from services.documents.findings import FileError, Finding

app = typer.Typer(help="Programme files: lint, show, diff, apply, schema.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A programme file.", show_default=False)]
StrictOption = Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")]


@app.callback()
def group() -> None:
    """A programme is a YAML file: its parties, their contracts, and the mechanics that reward members."""


@app.command()
def lint(file: FileArgument, strict: StrictOption = False, output: Output = Format.TABLE) -> None:
    """Check a programme file: what is wrong, with line, field and reason, and what is known to go wrong.

    Exit code 0 when there is no error (warnings are printed), 1 when there is, 2 when the file cannot be read at all.

    Examples:

        clh programme lint harvest.yaml

        clh programme lint harvest.yaml --strict     # warnings fail it too

        clh programme lint harvest.yaml --output json
    """
    from services.documents.findings import FileError, Severity
    from services.programme.lint import lint_programme

    try:
        findings = lint_programme(file)
    except FileError as error:
        _stop(file, error, output)
    if output is Format.JSON:
        print_json(as_json(str(file), findings))
    else:
        print_findings(findings)
        _summary(file, findings)
    if findings and (strict or any(finding.severity is Severity.ERROR for finding in findings)):
        raise typer.Exit(FOUND)


@app.command()
def schema() -> None:
    """Print the JSON Schema of programme files, every field described.

    Example:

        clh programme schema > programme.schema.json
    """
    from schemas.export import schema_text

    typer.echo(schema_text("programme"), nl=False)


@app.command()
def show(
    programme: Annotated[
        str | None, typer.Argument(metavar="[PROGRAMME]", help="A programme file, or the id of a programme in force.", show_default=False)
    ] = None,
    id_: OneProgramme = None,
    output: Output = Format.TABLE,
) -> None:
    """Show a programme: settings, parties, contracts, mechanics. Where nothing is named, the one that is in force.

    Examples:

        clh programme show harvest.yaml

        clh programme show harvest          # the version in force

        clh programme show --programme harvest
    """
    from services.programme.parts import plain
    from services.programme.show import tables

    if programme is not None and id_ is not None:
        raise typer.BadParameter("a file or id, or --programme, not both", param_hint="--programme")
    file = _named(programme, output) if programme is not None else _in_force(id_)
    if output is Format.JSON:
        print_json(plain(file))
        return
    for table in tables(file):
        out.print(table)


@app.command()
def diff(
    file: FileArgument,
    other: Annotated[Path | None, typer.Argument(metavar="[FILE2]", help="The newer file; left out: FILE is compared with what is in force.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what differs between two programme files, or between the programme in force and a file.

    Exit code 0 when nothing differs, 1 when something does, 2 when a file cannot be read.

    Examples:

        clh programme diff harvest.yaml     # what `apply` would change

        clh programme diff harvest-2025.yaml harvest.yaml
    """
    from services.programme.diff import diff as differences

    new = _read(other or file, output)
    old = _read(file, output) if other is not None else _in_force(new.programme.id)
    found = differences(old, new)
    if output is Format.JSON:
        print_json([asdict(each) for each in found])
    else:
        for each in found:
            say(str(each))
        if not found:
            out.print("No difference.")
    if found:
        raise typer.Exit(FOUND)


@app.command()
def apply(file: FileArgument, output: Output = Format.TABLE) -> None:
    """Put a programme file into force. Applying the same file twice changes nothing.

    Contract and mechanic versions that applied to booked events cannot be changed, only ended; kinds of mechanic that are not booked yet are
    refused; terms that have no effect yet are warned of. Exit code 0 when it is in force, 1 when something was found, 2 when the file cannot be read.

    Examples:

        clh programme apply harvest.yaml

        clh programme diff harvest.yaml; clh programme apply harvest.yaml
    """
    from services.documents.findings import FileError, Severity
    from services.documents.load import read_text
    from services.programme.advice.effects import terms_have_effect
    from services.programme.apply import apply_programme
    from services.programme.lint import placed
    from services.programme.read import parse_programme

    try:
        text = read_text(file)
        programme = parse_programme(text, str(file))
        with servers() as house:
            changed = apply_programme(house, programme, text, str(file))
    except FileError as error:
        _stop(file, error, output)
    idle = placed(terms_have_effect(programme), text, str(file), Severity.WARNING)
    if output is Format.JSON:
        findings = [finding.as_json() for finding in idle]
        print_json({"file": str(file), "programme": programme.programme.id, "changed": changed, "findings": findings})
    else:
        print_findings(idle, to_stderr=True)
        say(f"{programme.programme.id} is in force." if changed else f"{programme.programme.id} is in force already; nothing changed.")


def _stop(file: Path, error: FileError, output: Format) -> NoReturn:
    """Print what was found in a file that cannot be used, and end the command."""
    if output is Format.JSON:
        print_json(as_json(str(file), error.findings))
    else:
        print_findings(error.findings)
        _summary(file, error.findings)
    raise typer.Exit(exit_code(error))


def _summary(file: Path, findings: tuple[Finding, ...]) -> None:
    from services.documents.findings import Severity

    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = len(findings) - errors
    counts = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in ((errors, "error"), (warnings, "warning")) if count]
    say(f"{file}: {' and '.join(counts) or 'nothing found'}")


def _read(path: Path, output: Format) -> ProgrammeFile:
    from services.documents.findings import FileError
    from services.programme.read import read_programme

    try:
        return read_programme(path)
    except FileError as error:
        _stop(path, error, output)


def _named(name: str, output: Format) -> ProgrammeFile:
    """A file where there is one of that name, or it has an ending; or else what is in force under that id."""
    path = Path(name)
    return _read(path, output) if path.suffix or path.exists() else _in_force(name)


def _in_force(programme: str | None) -> ProgrammeFile:
    """Of the only programme that there is, where None is named."""
    from schemas.ids import ProgrammeId
    from services.programme.apply import in_force

    with servers() as house:
        programme = programme or only_programme(house)
        found = in_force(house, ProgrammeId(programme))
    if found is None:
        raise fail(f"no programme {programme} was applied; a file is named with its ending, such as {programme}.yaml")
    return found
