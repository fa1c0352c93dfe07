"""docs/errors.md has a line on every code under which an erasure is refused, and on no other."""

import re
from pathlib import Path

from services.journal.erasure import ErasureCode

TEXT = (Path(__file__).parents[3] / "docs" / "errors.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("\n## Erasure\n") :].split("\n## ")[1]


def test_every_code_has_a_line_and_there_is_no_other() -> None:
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", SECTION, re.MULTILINE)) == sorted(ErasureCode)
