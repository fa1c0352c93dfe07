"""Revenue of scenarios whose figures were worked out by hand, in the comments here and in the scenarios'."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.runtime.local import Addresses
from tests.played import Played, played

GOLDEN = Path(__file__).parents[1] / "acceptance" / "golden"


@pytest.fixture
def _servers(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)


def revenue(one: Played, month: str, *more: str) -> dict[str, Any]:
    """What `clh accounts revenue` says of a month, without what is zero: by sponsor, and of all."""
    shown = json.loads(CliRunner().invoke(app, ["accounts", "revenue", "--month", month, "--programme", one.name, "--output", "json", *more]).output)
    names = ("opening", "issued", "redeemed", "unused", "reversed", "paid_back", "caught_up", "rounding", "closing")
    by_sponsor = {each["sponsor"]: {name: each[name] for name in names if each[name] != "0.00"} for each in shown["accounts"]}
    direct = [(each["day"], each["sponsor"], each["amount"]) for each in shown["direct"]]
    return by_sponsor | {"direct": direct, "cost": shown["totals"]["EUR"]["cost"]}


@pytest.mark.usefixtures("_servers")
def test_a_hybrid_defers_what_is_due_at_issue_and_pays_back_for_what_expires(addresses: Addresses) -> None:
    """Half the issue price is due at issue: 0.0050 of grocer's points, 0.0060 of fuelco's, of which half goes back for points that expire.

    February, grocer: 60 given, 0.30. 50 spent, 0.25; the rest of their price, 0.25, is billed. All comes back: 10 unspent, 0.05; 50 spent, which the operator
    bears, 0.50: 0.25 of it had been deferred (their revenue is taken back), 0.25 billed. fuelco: 80 given, 0.48; 50 repay, 0.30, and 0.30 are billed. 30 stay.
    March, grocer: 10 given, 0.05. fuelco: 30 expire, 0.18: half is paid back, half was never to be spent.
    """
    with played(GOLDEN / "return-after-spending-hybrid-unused-points.yaml", addresses) as one:
        assert revenue(one, "2026-02") == {
            "grocer": {"issued": "0.30", "reversed": "-0.30"},
            "fuelco": {"issued": "0.48", "redeemed": "-0.30", "closing": "0.18"},
            "direct": [("2026-02-03", "grocer", "0.25"), ("2026-02-04", "grocer", "-0.25"), ("2026-02-05", "fuelco", "0.30")],
            "cost": "0.42",
        }
        assert revenue(one, "2026-03") == {
            "grocer": {"issued": "0.05", "closing": "0.05"},
            "fuelco": {"opening": "0.18", "unused": "-0.09", "paid_back": "-0.09"},
            "direct": [],
            "cost": "0.00",
        }


@pytest.mark.usefixtures("_servers")
def test_with_a_share_never_to_be_spent_revenue_comes_with_the_points_spent(addresses: Addresses) -> None:
    """The same, of fuelco's points left a quarter is told never to be spent.

    February: b of new points is 1/4, so with 50 spent, 50 x 0.0060 x (1/4 ÷ 3/4) x 1/2 (the other half would go back) = 0.05 is revenue for points never
    spent. At the month's end of 80 points 30 are left, of which 7.5 will never be spent: b = 7.5/80, 50 x 0.0060 x (7.5 ÷ 72.5) x 1/2 = 0.0155 should be
    revenue by now; 0.0345 are taken back. Deferred: 0.48 - 0.30 - 0.0155 = 0.1645.
    March: the 30 expire: 0.09 is paid back. Of 80 points 50 were spent and 30 were not: the rest, 0.1645 - 0.09 = 0.0745, is caught up.
    """
    with played(GOLDEN / "return-after-spending-hybrid-unused-points.yaml", addresses) as one:
        february, march = (revenue(one, month, "--unused-share", "0.25")["fuelco"] for month in ("2026-02", "2026-03"))
    assert february == {"issued": "0.48", "redeemed": "-0.30", "unused": "-0.05", "caught_up": "0.03", "closing": "0.16"}
    assert march == {"opening": "0.16", "paid_back": "-0.09", "caught_up": "-0.07"}
