"""Which pages of docs/reference are made from the code."""

from __future__ import annotations

from services.docs import commands, events, programme, scenario, topics


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    return {
        "topics.md": topics.page(),
        "events.md": events.page(),
        "programme.md": programme.page(),
        "scenario.md": scenario.page(),
        "cli.md": commands.page(),
    }
