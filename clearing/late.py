"""Which mechanics the night decides: those under a limit or budget of the whole programme, and all that depends on which of them wins.

Rule 3 asks what each mechanic of a group gives after its limits. Where one of them shares its limit with the whole programme, that is known at
night only, and so is who wins, and what a multiplier adds to the winner. It depends on the programme file alone, not on who sells when: what a
mechanic gives counts towards its limits in one order.
"""

from collections.abc import Sequence

from clearing.limits import limited_for_all
from clearing.mechanics import Mechanic
from clearing.mechanics.multiplier import Multiplier
from schemas import mechanics as spec


def decided_at_night(mechanics: Sequence[tuple[int, spec.Mechanic, Mechanic]]) -> frozenset[int]:
    """Places in the file of the mechanics that the night decides; given are place, entry and compiled mechanic of every entry."""
    late = {place for place, entry, _ in mechanics if limited_for_all(entry)}
    while True:
        groups = {entry.group for place, entry, _ in mechanics if place in late and entry.group}
        rivals = {entry.id for _, entry, _ in mechanics if entry.group in groups}
        depend = {
            place
            for place, entry, mechanic in mechanics
            if entry.group in groups or (isinstance(mechanic, Multiplier) and not rivals.isdisjoint(mechanic.bases))
        }
        if depend <= late:
            return frozenset(late)
        late |= depend
