"""docs/reference/scenario.md, from the models of the scenario file and its report."""

from __future__ import annotations

from schemas.export import json_schema
from services.docs.fields import fields, reached, references, section
from services.docs.text import anchor
from services.docs.text import page as whole

INTRODUCTION = (
    "A scenario is a programme, its members and some days of events, with what should come out. `clh scenario run FILE` plays it through Kafka, the processor, "
    "PostgreSQL and the night run, in a namespace that goes away afterwards. Ids are unique in a scenario; each listed day is a window, which ends with that "
    "day in the programme's time zone. What stands under `expect` is compared: maps by the keys that are named, lists as a whole and in any order, "
    "numbers as numbers, in quotes or not. What is expected of `passed` and `differences` is compared with what all else comes to."
)
REPORT = "What `clh scenario run FILE --output json` prints. Sums of money are decimal text with the places of their currency."
LEFT_OUT = "The fields of a programme that is written into the scenario are those of [programme.md](programme.md)."


def page() -> str:
    """The whole page."""
    schema, report = json_schema("scenario"), json_schema("scenario-report")
    own = {*json_schema("programme")["$defs"], "ProgrammeFile"}
    written = [name for name in reached(references(schema), schema["$defs"]) if name not in own]
    made = reached(references(report), report["$defs"])
    text = whole(
        "Scenario file",
        INTRODUCTION,
        "## The file\n\n" + fields(schema, schema["$defs"]) + "\n\n" + LEFT_OUT,
        *(section(name, schema["$defs"]) for name in written if "properties" in schema["$defs"][name]),
        "## The report\n\n" + REPORT + "\n\n" + fields(report, report["$defs"]),
        *(section(name, report["$defs"]) for name in made if "properties" in report["$defs"][name]),
    )
    for name in sorted(own - {"ProgrammeFile"}):
        text = text.replace(f"[{name}]({anchor(name)})", f"[{name}](programme.md{anchor(name)})")
    return text.replace("(#programmefile)", "(programme.md#the-file)")
