"""Words that command lines had before, and what they are called now: `--as` is who does it, `--to` where it is written, `--output` how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_PERSON: Final = {"--by": "--as: who does it"}
_PARTY: Final = {"--by": "--party"}
_PLACE: Final = {"--out": "--to"}
RENAMED: Final[dict[tuple[str, ...], dict[str, str]]] = {
    ("accounts", "export"): {"--format": "--output", "-f": "--output"},
    ("bank", "answer"): {"--json": "--output json"},
    ("bank", "rewards"): {"--json": "--output json"},
    ("dispute", "lines"): _PARTY,
    ("dispute", "open"): _PARTY,
    ("dispute", "show"): {"--save": "--to"},
    ("member", "erase"): _PERSON,
    ("people", "keygen"): _PLACE,
    ("recon", "resolve"): {"--by": "--as: who does it; what is proposed is --proposal"},
    ("report", "render"): _PLACE,
    ("report", "statement"): _PLACE,
    ("settlement", "file"): _PLACE,
    ("settlement", "pay"): _PERSON,
    ("settlement", "recall"): _PERSON,
}
"""By command: options that are gone, and what is said instead."""
PLACED: Final = frozenset({("bank", "answer"), ("bank", "rewards"), ("seal", "export"), ("seal", "keygen")})
"""Commands whose `--output` was a place, and is a format now."""
_FORMATS: Final = {"table", "json"}


def said_anew(words: Sequence[str]) -> str | None:
    """The sentence for a command line that uses a word of before; None where it does not."""
    command, rest = tuple(words[:2]), words[2:]
    gone = RENAMED.get(command, {})
    for place, word in enumerate(rest):
        option, _, value = word.partition("=")
        if option in gone:
            return f"clh {' '.join(command)}: {option} is now {gone[option]}"
        if command in PLACED and option in ("--output", "-o"):
            value = value or next(iter(rest[place + 1 :]), "")
            if value and value not in _FORMATS:
                return f"clh {' '.join(command)}: where it is written is now --to {value}; {option} is how the outcome is printed, table or json"
    return None
