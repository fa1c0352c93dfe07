"""`clh seal`: windows sealed, seals shown, exports written, keys made; `clh verify`: an export proved, without the house."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from services.cli.books import OneProgramme, as_day, books_of
from services.cli.output import FAILED, Format, Output, fail, print_json, print_table, progress_bars, say
from services.cli.typed import no_card_number

if TYPE_CHECKING:
    from services.seal.keys import Signer
    from services.seal.verdict import Verdict

app = typer.Typer(help="The seal: window, show, export, keygen.", no_args_is_help=True)

Day = Annotated[str, typer.Argument(metavar="DAY", help="The window.", show_default=False)]
Key = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="The house's private key; left out: CLH_SEAL_KEY.", show_default=False)]
Done = TypeVar("Done")
MANIFEST: Final = "manifest.json"
BEGINNING_BYTES: Final = 1024


@app.callback()
def group() -> None:
    """What a window was is put under one hash, chained to the window before and signed, so that nobody can change it unseen: not even the house."""


@app.command()
def keygen(
    target: Annotated[Path, typer.Option("--to", metavar="FILE", help="The new private key; a file that is there is not written over.")] = Path("seal-key.pem"),
    public: Annotated[Path, typer.Option("--public", metavar="FILE", help="The house's public keys; the new one is put behind those that are there.")] = Path(
        "house-keys.txt"
    ),
    remark: Annotated[str, typer.Option("--remark", help="What stands behind the public key, for people.", callback=no_card_number)] = "",
    output: Output = Format.TABLE,
) -> None:
    """Make a key for the house, for the first time or to rotate: the next seal is signed with it, and the old public keys stay known.

    Give the file of public keys to everyone who is to verify exports, on another way than the exports.

    Examples:

        clh seal keygen --to seal-key.pem --public house-keys.txt --remark "from 2026-03"
    """
    from services.seal.keys import generate

    key = _or_fail(lambda: generate(target, public, " ".join(remark.split())))
    if output is Format.JSON:
        print_json({"private_key": str(target), "key": key, "public_keys": str(public)})
        return
    say(f"{target}: private key {key}\n{public}: its public key")


@app.command()
def window(day: Day, programme: OneProgramme = None, key: Key = None, output: Output = Format.TABLE) -> None:
    """Seal a window that is netted, and those before it that are not sealed yet; and the results of windows that are settled.

    What is sealed already is passed over. Nights do this by themselves where CLH_SEAL_KEY is set.

    Examples:

        clh seal window 2026-03-02 --key seal-key.pem
    """
    from services.seal.results import seal_results_due
    from services.seal.sealing import seal_through

    wanted = as_day(day)
    signer = _signer(key)
    with books_of(programme) as (_, chosen, connection), progress_bars() as report:
        days = _or_fail(lambda: seal_through(connection, signer, wanted, report))
        results = _or_fail(lambda: seal_results_due(connection, signer, report))
    if output is Format.JSON:
        print_json({"programme": chosen, "sealed": [each.isoformat() for each in days], "results": [each.isoformat() for each in results]})
    else:
        say(f"sealed: {', '.join(map(str, days))}" if days else f"{day} is sealed already")
        if results:
            say(f"results sealed: {', '.join(map(str, results))}")


@app.command()
def show(programme: OneProgramme = None, output: Output = Format.TABLE) -> None:
    """Show all seals, of windows and of the results of settled ones: run, leaves, root, and the hash of the head, which the next head names.

    Examples:

        clh seal show

        clh seal show --output json
    """
    from services.seal.statements import SEALS

    with books_of(programme) as (_, chosen, connection):
        rows = connection.execute(SEALS).fetchall()
    if output is Format.JSON:
        names = ("number", "window", "run", "leaves", "head", "sha256", "key", "sealed_at", "newest_run", "settled")
        print_json({"programme": chosen, "seals": [dict(zip(names, row, strict=True)) | {"head": json.loads(row[4]), "of": _of(row[9])} for row in rows]})
        return
    told = [
        (no, day, _of(settled), run, f"{leaves:,}", key, "" if newest else "its run was made anew", sha256)
        for no, day, run, leaves, _, sha256, key, _, newest, settled in rows
    ]
    print_table(
        ("seal", "window", "of", "run", "leaves", "key", "note", "head (SHA-256)"),
        told,
        title=f"Seals of {chosen}",
        right=("seal", "run", "leaves"),
        optional=("key", "head (SHA-256)"),
        empty=f"No window of {chosen} is sealed yet.",
    )


def _of(settled: bool) -> str:
    return "result" if settled else "window"


@app.command()
def export(
    day: Day,
    party: Annotated[str, typer.Option("--party", metavar="PARTY", help="Whose: a partner, a bank; the operator gets all of the window.", show_default=False)],
    target: Annotated[Path, typer.Option("--to", metavar="FILE", help="The file.", show_default=False)],
    programme: OneProgramme = None,
    key: Key = None,
    output: Output = Format.TABLE,
) -> None:
    """Write a party's statement of a sealed window with the entries behind it and everything that proves them, as one file.

    It is a tar; `clh verify` and `deploy/verify_export.py` need nothing but it and the house's public keys.

    Examples:

        clh seal export 2026-03-02 --party grocer --to grocer-2026-03-02.clh.tar
    """
    from services.seal.export import export as write

    wanted = as_day(day)
    signer = _signer(key)
    with books_of(programme) as (_, chosen, connection), progress_bars() as report:
        try:
            head = _or_fail(lambda: write(connection, wanted, party, signer, target, report))
        except OSError as error:
            raise fail(f"{target} cannot be written: {error.strerror}") from None
    size = target.stat().st_size
    if output is Format.JSON:
        print_json({"programme": chosen, "window": wanted, "party": party, "path": str(target), "bytes": size, "head_sha256": head})
        return
    say(f"{target}: {size:,} bytes, head {head}")


def verify(
    path: Annotated[Path, typer.Argument(metavar="EXPORT", help="An export.", show_default=False)],
    public: Annotated[Path, typer.Option("--public-key", metavar="FILE", help="The house's public keys, from elsewhere than the export.", show_default=False)],
    head: Annotated[
        str | None, typer.Option("--head", metavar="SHA256", help="A head that was told before, on a statement: it has to be in the chain.", show_default=False)
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Verify an export, from the export alone: no database, no network.

    Its bytes are those that the house signed; its entries are those that were sealed, all of them; the lines of the statement follow from them; the heads
    are chained and signed. Exit code 0 when all of it holds, 1 when something does not: the file in the archive is named, and the entry where that can
    be told.

    Examples:

        clh verify grocer-2026-03-02.clh.tar --public-key house-keys.txt
    """
    from services.seal.keys import public_keys
    from services.seal.verify import verify as proved

    keys = _or_fail(lambda: public_keys(public))
    try:
        with progress_bars() as report:
            report("verify", 0, None)
            verdict = proved(path, keys, known_head=head, progress=report)
    except OSError as error:
        raise fail(f"{path} cannot be read: {error.strerror}") from None
    if output is Format.TABLE and not verdict.holds and not _begins_as_an_export(path):
        raise fail(f"{path} is no export: an export is a tar with {MANIFEST} first, as clh seal export writes it")
    if output is Format.JSON:
        print_json({**asdict(verdict), "holds": verdict.holds})
    else:
        _show_verdict(path, verdict)
    if not verdict.holds:
        raise typer.Exit(FAILED)


def _begins_as_an_export(path: Path) -> bool:
    """Whether it begins like a tar, or names the first file of an export: one of the two is left wherever something of an export was changed or put in."""
    with path.open("rb") as file:
        beginning = file.read(BEGINNING_BYTES)
    return any(sign in beginning for sign in (b"ustar", MANIFEST.encode()))


def _show_verdict(path: Path, verdict: Verdict) -> None:
    """The verdict, then what was found; where nothing was, what else there is to know. Notes rest on what the export says."""
    told = f"{verdict.entries:,} entries, {verdict.lines:,} lines, {verdict.heads:,} heads of {verdict.programme}, window {verdict.window}, for {verdict.party}"
    result = "everything holds" if verdict.holds else f"IT DOES NOT HOLD: {len(verdict.problems)} found"
    say(f"{path}: {result}. {told}; head {verdict.head_sha256}")
    for problem in verdict.problems:
        say(f"{problem.file}: {f'{problem.entry}: ' if problem.entry else ''}{problem.what}")
    if verdict.holds:
        sealed = "the window is settled: its signatures and payments are those that were sealed; what payments have to come to, the report says"
        say(sealed if verdict.settled else "the window is not settled yet")
        for note in verdict.notes:
            say(f"note: {note}")


def _signer(key: Path | None) -> Signer:
    from services.seal.keys import FileSigner
    from services.settings import settings

    path = key or settings().seal_key
    if path is None:
        raise fail("no key: --key FILE, or CLH_SEAL_KEY; clh seal keygen makes one")
    return _or_fail(lambda: FileSigner(path))


def _or_fail(work: Callable[[], Done]) -> Done:
    from services.seal.errors import SealError

    try:
        return work()
    except SealError as error:
        raise fail(str(error)) from None
