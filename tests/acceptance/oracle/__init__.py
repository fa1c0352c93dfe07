"""A second reading of the contract: what a scenario must come to, worked out in memory, event by event, without any code of the product.

It is slow and plain on purpose. `report` takes a scenario as it is written (the programme in it) and gives the report of scenario.md. It knows what
partners send (purchases, returns, adjustments, redemptions, holds) and members' cards; card transactions and the rarer mechanics it does not.
"""

from tests.acceptance.oracle.comparing import differences
from tests.acceptance.oracle.house import report

__all__ = ["differences", "report"]
