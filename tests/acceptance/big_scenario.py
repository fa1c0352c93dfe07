"""Three weeks of a coalition in files of events: 15,000 of them from a seed, the odd ones included."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.acceptance.oracle.programme import read
from tests.acceptance.oracle.reading import cloud_event, expand
from tests.acceptance.random_scenarios import Maker

FIRST, DAYS = date(2027, 3, 18), 21
MEMBERS, EVENTS = 480, 15_000


def write(folder: Path, seed: int) -> dict[str, Any]:
    """Writes a day's events to a file each, and the scenario beside them; returns the document. The month ends on its 14th day."""
    maker = Maker(Random(seed), seed, days=[FIRST + timedelta(days=days) for days in range(DAYS)], members=MEMBERS, most=3)
    maker.strangers = {f"s{n}": [f"k{n}"] for n in range(1, 30)}
    document = maker.made() | {"scenario": "three-weeks"}
    programme, counted = read(document["programme"]), 0
    for day in document["days"]:
        events = [event for short in day.pop("events") for event in expand(short, programme)][: EVENTS - counted]
        counted += len(events)
        day["events_file"] = f"{day['day']}.jsonl.gz"
        lines = "".join(json.dumps(cloud_event(event)) + "\n" for event in events)
        (folder / day["events_file"]).write_bytes(gzip.compress(lines.encode(), mtime=0))
    assert counted == EVENTS, f"{counted} events: too few members"
    (folder / "three-weeks.yaml").write_text(json.dumps(document))
    return document


def outcomes(report: dict[str, Any]) -> Counter[str]:
    """How many events came to what, for a look at how odd a seed is."""
    return Counter([*(one["outcome"] for one in report["events"].values()), *report["rejected"].values()])
