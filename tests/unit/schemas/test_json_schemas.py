"""The JSON Schemas in the repository are those of the models, describe every field, and judge as the models do."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from schemas.events import EVENT_TYPES
from schemas.export import CONTRACTS, FOLDER, json_schema, schema_text
from schemas.topics import example
from tests.unit.schemas.golden import FILES, read


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_file_agrees_with_the_model(name: str) -> None:
    assert (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8") == schema_text(name), "run: python -m schemas.export"


def test_there_is_no_file_without_a_contract() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.schema.json" for name in CONTRACTS}


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_field_is_described_and_unknown_ones_are_refused(name: str) -> None:
    schema = json_schema(name)
    for place, model in _objects(schema, name):
        assert model["additionalProperties"] is False, place
        for field, described in model["properties"].items():
            target = schema.get("$defs", {}).get(described.get("$ref", "").rpartition("/")[2], {})
            assert described.get("description") or target.get("description"), f"{place}.{field}"


def _objects(value: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict) and value.get("type") == "object":
            yield place, value
        for key, each in value.items():
            yield from _objects(each, f"{place}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each, place)


@pytest.mark.parametrize("name", [*EVENT_TYPES, "accrual.v1", "rejection.v1", "partner-figures.v1", "signal.v1"])
def test_the_example_fits_its_schema(name: str) -> None:
    jsonschema.validate(example(name), json_schema(name))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_scenarios_fit_their_schema(path: Any) -> None:
    document = json.loads(json.dumps(_text_keys(read(path))))
    _judge("scenario").validate(document)
    _judge("programme").validate(document["programme"])


@functools.cache
def _judge(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema(name))


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _text_keys(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_text_keys(each) for each in value]
    return value if value is None or isinstance(value, bool | int) else str(value)
