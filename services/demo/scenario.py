"""Real purchases as a scenario: `python -m services.demo.scenario FOLDER` writes three weeks of them, about 15,000 events, for `clh scenario run`."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zlib import crc32

from services.demo.receipts import card_of, member_of
from services.demo.run import PROGRAMME_FILE
from services.demo.source import FIRST_DAY, Purchases
from services.demo.story import Story, is_newcomer
from services.scenario.expand import Outgoing

DAYS = 21
LEAVE_OUT_OF = 10
"""Of so many households one is left out, so that three weeks have about 15,000 events."""
NAME = "three-weeks-of-purchases"


@dataclass(frozen=True, slots=True)
class Written:
    """A scenario as it was written."""

    file: Path
    events: int


def chosen(first: date = FIRST_DAY, days: int = DAYS) -> Purchases:
    """The purchases of the scenario."""
    return Purchases.read(first, first + timedelta(days=days - 1)).of_households(lambda household: crc32(str(household).encode()) % LEAVE_OUT_OF > 0)


def write_scenario(folder: Path, purchases: Purchases) -> Written:
    """Writes the scenario, its programme and a file of events for each day. Who is a member from the start stands in the scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    programme = folder / "programme.yaml"
    programme.write_bytes(PROGRAMME_FILE.read_bytes())
    members = [household for household in purchases.households() if not is_newcomer(household)]
    days, events = [], 0
    for day in Story(purchases).days():
        own = day.events if day.day == purchases.first else (*day.members, *day.events)
        name = f"{day.day}.jsonl.gz"
        _write_lines(folder / name, own)
        events += len(own)
        days.append(f"  - {{day: {day.day}, events_file: {name}}}")
    lines = [f"scenario: {NAME}", f"programme: {programme.name}", "members:"]
    lines += [f"  - {{id: {member_of(h)}, cards: [{card_of(h)}], enrolled: {purchases.first}, kind: consumer}}" for h in members]
    file = folder / f"{NAME}.yaml"
    file.write_text("\n".join([*lines, "days:", *days]) + "\n", encoding="utf-8")
    return Written(file, events)


def _write_lines(file: Path, events: Sequence[Outgoing]) -> None:
    """One event a line, packed; the same bytes every time."""
    with file.open("wb") as packed, gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as lines:
        for event in events:
            lines.write(event.value + b"\n")


if __name__ == "__main__":
    done = write_scenario(Path(sys.argv[1]), chosen())
    sys.stdout.write(f"{done.file}: {done.events:,} events\n")
