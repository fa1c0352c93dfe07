"""The golden scenarios, read as plain YAML."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[3]
GOLDEN = REPOSITORY / "tests" / "acceptance" / "golden"
FILES = sorted(GOLDEN.glob("*.yaml"))


def read(path: Path) -> dict[str, Any]:
    """The document in a file; days come as dates."""
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(path)
    return document


def programme(name: str = "independent-basics") -> dict[str, Any]:
    """The programme written into a golden scenario, to be changed at will."""
    found: dict[str, Any] = read(GOLDEN / f"{name}.yaml")["programme"]
    return found
