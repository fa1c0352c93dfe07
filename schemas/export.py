"""Writes the JSON Schemas of all contracts beside the code: ``python -m schemas.export``.

A test compares the files with the models, so that a contract never changes unseen.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from schemas.events import EVENT_TYPES
from schemas.events.answers import AccrualEvent, RejectionEvent
from schemas.events.insights import PartnerFiguresEvent, SignalEvent
from schemas.programme import ProgrammeFile
from schemas.report import ScenarioReport, SettlementReport
from schemas.scenario import Scenario

FOLDER = Path(__file__).parent / "json"

CONTRACTS: Mapping[str, type[BaseModel]] = {
    "programme": ProgrammeFile,
    "scenario": Scenario,
    "scenario-report": ScenarioReport,
    "settlement-report": SettlementReport,
    **EVENT_TYPES,
    "accrual.v1": AccrualEvent,
    "rejection.v1": RejectionEvent,
    "partner-figures.v1": PartnerFiguresEvent,
    "signal.v1": SignalEvent,
}
"""Every contract by the name of its file."""


def json_schema(name: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a contract, every field described."""
    schema = CONTRACTS[name].model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def schema_text(name: str) -> str:
    """The schema as it stands in its file."""
    return json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes all files and says how many."""
    FOLDER.mkdir(exist_ok=True)
    for name in CONTRACTS:
        (FOLDER / f"{name}.schema.json").write_text(schema_text(name), encoding="utf-8")
    sys.stdout.write(f"{len(CONTRACTS)} schemas in {FOLDER.name}/\n")


if __name__ == "__main__":
    main()
