"""How numbers of payment cards begin (ISO/IEC 7812), and which lengths they have, by the schemes' own publications.

With the check digit alone one number in ten passes by chance; with these beside it one in forty of 13 to 19 digits.
"""

from __future__ import annotations

from typing import Final

_ANY: Final = frozenset(range(13, 20))
_BEGINS: Final[tuple[tuple[int, int, frozenset[int]], ...]] = (
    (4, 4, frozenset({13, 16, 19})),  # Visa
    (34, 34, frozenset({15})),  # American Express
    (37, 37, frozenset({15})),
    (300, 305, frozenset(range(14, 20))),  # Diners Club
    (3095, 3095, frozenset(range(14, 20))),
    (36, 36, frozenset(range(14, 20))),
    (38, 39, frozenset(range(14, 20))),
    (3528, 3589, frozenset(range(16, 20))),  # JCB
    (2200, 2204, frozenset(range(16, 20))),  # Mir
    (2221, 2720, frozenset({16})),  # Mastercard
    (51, 55, frozenset({16})),
    (50, 50, _ANY),  # Maestro, Verve, Elo, Dankort
    (56, 58, _ANY),
    (60, 69, _ANY),  # Discover, RuPay, UnionPay, Maestro, InterPayment, InstaPayment
    (81, 82, frozenset(range(16, 20))),  # UnionPay, RuPay
    (8600, 8600, frozenset({16})),  # Uzcard
    (9792, 9792, frozenset({16})),  # Troy
    (9860, 9860, frozenset({16})),  # Humo
)
"""From and to which beginning, and the lengths of such numbers."""


def issuer_takes(digits: str) -> bool:
    """Whether a number begins as some scheme's do, and has one of its lengths."""
    return any(low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths for low, high, lengths in _BEGINS)
