"""A programme as tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from schemas.programme import Contract, Mechanic, ProgrammeFile
from services.programme import parts

_COMMON = frozenset(["id", "kind", "from", "to", "partners", "banks", "funding"])


def tables(file: ProgrammeFile) -> Iterator[RenderableType]:
    """Settings, parties, contracts and mechanics of a programme."""
    yield _table(f"{file.programme.name} ({file.programme.id})", ("setting", "value"), [(name, _cell(value)) for name, value in parts.settings(file).items()])
    yield _table(
        "Parties",
        ("id", "kind", "name", "category", "regions", "contract"),
        [(party.id, party.kind, party.name, party.category or "", ", ".join(party.regions), _versions(file, party.id)) for party in file.parties],
    )
    yield _table(
        "Contracts",
        ("party", "from", "to", "roles", "issue", "redeem", "due at issue", "fees", "VAT", "settlement"),
        [_contract(contract, file) for contract in file.contracts],
    )
    yield _table(
        "Mechanics, in the order in which they apply",
        ("id", "kind", "from", "to", "where", "what", "who pays"),
        [_mechanic(mechanic) for mechanic in file.mechanics],
    )


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*row)
    return table


def _versions(file: ProgrammeFile, party: str) -> str:
    count = sum(contract.party == party for contract in file.contracts)
    return {0: "none", 1: "1 version"}.get(count, f"{count} versions")


def _contract(contract: Contract, file: ProgrammeFile) -> tuple[str, ...]:
    due = contract.share_due_at_issue(file.programme.operator.model)
    fees = [
        f"{fee['kind']} {fee.get('amount', '')}{fee.get('percent', '')}{' ' + fee['currency'] if 'currency' in fee else ' %'}"
        for fee in map(parts.plain, contract.fees)
    ]
    vat = "" if contract.vat is None else f"{contract.vat.percent:f} % on {', '.join(contract.vat.applies_to)}"
    return (
        contract.party,
        str(contract.valid_from),
        "" if contract.valid_to is None else str(contract.valid_to),
        ", ".join(contract.roles),
        "" if contract.issue is None else f"{contract.issue.price:f} {contract.issue.currency}",
        "" if contract.redeem is None else f"{contract.redeem.price:f} {contract.redeem.currency}",
        f"{due:f}" if "issuer" in contract.roles else "",
        "\n".join(fees),
        vat,
        contract.settlement,
    )


def _mechanic(mechanic: Mechanic) -> tuple[str, ...]:
    given = {name: value for name, value in parts.flat(parts.named(mechanic)).items() if name.split(".")[0] not in _COMMON}
    funding = [f"{share.party} {share.share:f}" for share in mechanic.funding or ()]
    return (
        mechanic.id,
        mechanic.kind,
        str(mechanic.valid_from),
        "" if mechanic.valid_to is None else str(mechanic.valid_to),
        ", ".join(mechanic.partners or mechanic.banks) or "all",
        "\n".join(f"{name}: {_cell(value)}" for name, value in given.items()),
        "\n".join(funding) or "the sender",
    )


def _cell(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return "" if value is None else parts.shown(value)
