"""Whether what should add up does (``totals-mismatch``)."""

from schemas.events.purchase import Purchase
from schemas.events.quick import QuickPurchase
from schemas.events.return_ import Return


def totals_match(data: Purchase | QuickPurchase | Return) -> bool:
    """Whether the lines add up to the total, and so do the tenders of a purchase where it names them.

    All in minor units of the event's one currency.
    """
    total = 0
    for line in data.lines:
        total += line.amount_minor
    if total != data.total_minor:
        return False
    if isinstance(data, Return) or data.tenders is None:
        return True
    for tender in data.tenders:
        total -= tender.amount_minor
    return total == 0
