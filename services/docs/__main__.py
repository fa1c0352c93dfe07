"""Writes docs/reference from the code: ``python -m services.docs``. A test compares the files with what would be written."""

from __future__ import annotations

import sys
from pathlib import Path

from services.docs.pages import pages

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def main() -> None:
    """Writes all pages and says how many."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = pages()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(made)} pages in docs/{FOLDER.name}/\n")


if __name__ == "__main__":
    main()
