"""Plain scalars by the core schema of YAML 1.2: `on`, `no`, `off` are words, and so are days.

A number with a fraction becomes a float here only so that every field refuses it: prices, rates and sums are text in quotes.
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMERIC_START = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]{1,400}", re.ASCII)
_HEX = re.compile(r"0x[0-9a-fA-F]{1,400}", re.ASCII)
_FRACTION = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)


def resolve(text: str) -> Scalar:
    """The value of a plain scalar (one that is not in quotes)."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text) or _HEX.fullmatch(text):
        return int(text, 0)
    if _FRACTION.fullmatch(text):
        return float(text)
    return text
