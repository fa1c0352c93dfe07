"""Characters that are not seen where a text is shown: two texts that differ in them alone look the same."""

from __future__ import annotations

from typing import Final

UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
"""Their categories (Unicode): control characters and formats, spaces, what ends lines and paragraphs."""
