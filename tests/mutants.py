"""The outcome of mutation testing: the share of mutants that the tests kill, by module, and what survives. `make mutants` runs it last.

It fails under 85 %, and where a mutant was not tried. Survivors that docs/mutants.md gives no reason for are listed as such.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

LEAST_PERCENT = 85
KILLED = frozenset(["killed", "timeout"])
"""A mutant that goes on for ever is seen by a test as well: it never passes."""
REASONS = Path(__file__).parent.parent / "docs" / "mutants.md"
MUTMUT = Path(sys.executable).with_name("mutmut")


def statuses(lines: Iterable[str]) -> dict[str, str]:
    """What became of each mutant, from the lines of `mutmut results --all true`: `    clearing.vat.x_tax_base__mutmut_5: survived`."""
    return {name.strip(): status.strip() for name, colon, status in (line.rpartition(": ") for line in lines) if colon and "__mutmut_" in name}


def module_of(mutant: str) -> str:
    """`clearing.points` of `clearing.points.xǁPurseǁ_post__mutmut_5`."""
    return mutant.rpartition(".")[0]


def table(found: Mapping[str, str]) -> list[str]:
    """Killed, all and their share by module, and of all."""
    total = Counter(module_of(name) for name in found)
    killed = Counter(module_of(name) for name, status in found.items() if status in KILLED)
    rows = [(module, killed[module], total[module]) for module in sorted(total)]
    rows.append(("all", killed.total(), total.total()))
    return [f"{module:<36}{dead:>6} of{count:>6} {100 * dead / count:>7.1f} %" for module, dead, count in rows]


def enough(found: Mapping[str, str]) -> bool:
    """Whether every mutant was tried and at least 85 of 100 are killed."""
    killed = sum(status in KILLED for status in found.values())
    return bool(found) and "not checked" not in found.values() and 100 * killed >= LEAST_PERCENT * len(found)


def main() -> int:
    """Prints the table and the survivors without a reason; 0 if enough were killed."""
    told = subprocess.run([MUTMUT, "results", "--all", "true"], check=True, capture_output=True, text=True)
    found = statuses(told.stdout.splitlines())
    reasons = REASONS.read_text(encoding="utf-8")
    print(*table(found), sep="\n") if found else print("no mutants: `mutmut run` has not run")
    alive = {name: status for name, status in found.items() if status not in KILLED}
    unknown = [f"  {name}: {status}" for name, status in alive.items() if f"`{name.removeprefix('clearing.')}`" not in reasons]
    if unknown:
        print(f"\n{len(unknown)} of {len(alive)} that are not killed have no reason in docs/mutants.md:", *unknown, sep="\n")
    if enough(found):
        return 0
    print(f"\ntoo few: at least {LEAST_PERCENT} % have to be killed, and every mutant tried")
    return 1


if __name__ == "__main__":
    sys.exit(main())
