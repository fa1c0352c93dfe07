"""docs/reference/events.md, from the models of events and answers and their examples."""

from __future__ import annotations

import json
from typing import Any

from schemas.events import EVENT_TYPES
from schemas.events.envelope import Envelope
from schemas.export import json_schema
from schemas.topics import TOPIC_OF_TYPE, TOPICS, example
from services.docs.codes import codes
from services.docs.fields import fields, reached, section
from services.docs.text import page as whole
from services.docs.text import plain

INTRODUCTION = (
    "An event is one record in Kafka: a CloudEvents 1.0 envelope in JSON with the content type `application/cloudevents+json`, under its `subject` as key. "
    "Its topic says which programme it belongs to ([topics.md](topics.md)). Money is a whole number of minor units with a currency beside it, never negative. "
    "Unknown fields are refused. Kinds of events that mechanics still to come will need are answered `unknown-type`."
)
CODES = "What a rejection's `code` says. With *try again* the cause lies with the house, and the same event can be tried again once it is put right."


def page() -> str:
    """The whole page."""
    answers = [name for topic in TOPICS for name in topic.types if name not in EVENT_TYPES]
    schemas = {name: json_schema(name) for name in [*EVENT_TYPES, *answers]}
    definitions = {name: part for schema in schemas.values() for name, part in schema["$defs"].items()}
    shown = {_data(schema) for schema in schemas.values()}
    parts = [name for name in reached(sorted(shown), definitions) if name not in shown]
    return whole(
        "Events",
        INTRODUCTION,
        "## Envelope\n\n" + plain(Envelope.__doc__ or "") + "\n\n" + fields(Envelope.model_json_schema(), {}),
        *(_type(name, schemas[name], "what comes in" if name in EVENT_TYPES else "what the house sends") for name in schemas),
        "## Codes of rejections\n\n" + CODES + "\n\n" + codes(),
        "## Parts",
        *(section(name, definitions) for name in sorted(parts) if "properties" in definitions[name]),
    )


def _data(schema: dict[str, Any]) -> str:
    return str(schema["properties"]["data"]["$ref"]).rsplit("/", 1)[-1]


def _type(name: str, schema: dict[str, Any], direction: str) -> str:
    data = schema["$defs"][_data(schema)]
    shown = json.dumps(example(name), indent=2, ensure_ascii=False)
    told = plain(data.get("description", ""))
    return f"## {name}\n\n{told} Topic `{TOPIC_OF_TYPE[name]}`, {direction}.\n\n{fields(data, schema['$defs'])}\n\n```json\n{shown}\n```"
