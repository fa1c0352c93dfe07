"""Two nights of a small coalition, worked out by hand: EUR with cents, JPY without, a party whose position waits, and every kind of row."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from schemas.report import SettlementReport
from services.report.stored import Shown


def line(kind: str, debtor: str, creditor: str, minor: int, *, quantity: int | None = None, price: str | None = None, **more: Any) -> dict[str, Any]:
    """One obligation; EUR and of the contract of January unless told."""
    fields = {
        "kind": kind,
        "detail": None,
        "debtor": debtor,
        "creditor": creditor,
        "currency": "EUR",
        "contract": "2026-01-01",
        "quantity": quantity,
        "unit_price": Decimal(price) if price is not None else None,
        "amount_minor": minor,
        "events": None,
    }
    return fields | more


LINES = [
    line("fee", "grocer", "opco", 4, detail="percent_of_issue"),
    line("fee", "grocer", "opco", 10000, detail="monthly", quantity=1, price="100"),
    line("issue", "fuelco", "opco", 5, quantity=5, price="0.0110", events=1),
    line("issue", "grocer", "opco", 123456, quantity=12345600, price="0.0001", events=3),
    line("redemption", "opco", "fuelco", 300, currency="JPY", quantity=300, price="1", events=2),
    line("redemption", "opco", "grocer", 42, quantity=50, price="0.0085", events=1),
]


def positions(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each party gets less what it owes."""
    sums: dict[tuple[str, str], list[int]] = {}
    for one in lines:
        sums.setdefault((one["currency"], one["creditor"]), [0, 0])[0] += one["amount_minor"]
        sums.setdefault((one["currency"], one["debtor"]), [0, 0])[1] += one["amount_minor"]
    return [
        {"currency": currency, "party": party, "receives_minor": gets, "owes_minor": owes, "net_minor": gets - owes}
        for (currency, party), (gets, owes) in sorted(sums.items())
    ]


def pairs(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who owes whom."""
    sums: dict[tuple[str, str, str], int] = {}
    for one in lines:
        key = (one["currency"], one["debtor"], one["creditor"])
        sums[key] = sums.get(key, 0) + one["amount_minor"]
    return [
        {"currency": currency, "debtor": debtor, "creditor": creditor, "amount_minor": minor} for (currency, debtor, creditor), minor in sorted(sums.items())
    ]


def report(**fields: Any) -> SettlementReport:
    """The second night, with some fields as told."""
    points = {"issued": 12345605, "redeemed": 350, "expired": 7, "returned": 0}
    document: dict[str, Any] = {
        "programme": "harvest",
        "window": "2026-03-03",
        "previous_sha256": FIRST.sha256() if "previous_sha256" not in fields else None,
        "operator": "opco",
        "netting": "multilateral",
        "currencies": [{"code": "EUR", "places": 2}, {"code": "JPY", "places": 0}],
        "positions": positions(LINES),
        "obligations": LINES,
        "matrix": pairs(LINES),
        "payments": [
            {"currency": "EUR", "from": "grocer", "to": "opco", "amount_minor": 133418},
            {"currency": "JPY", "from": "opco", "to": "fuelco", "amount_minor": 300},
        ],
        "carried": [{"currency": "EUR", "party": "fuelco", "amount_minor": -11, "since": "2026-03-02"}],
        "checks": [
            {"name": "journal_balanced", "ok": True, "figures": {"points": "debited 5, credited 5"}},
            {"name": "recomputed_equal", "ok": True, "figures": {"keys": 6, "differ": 0}},
        ],
        "senders": [{"source": "", "accepted": 0, "rejected": 2, "held": 0}, {"source": "grocer", "accepted": 1004, "rejected": 3, "held": 1}],
        "rejections": [
            {"source": "", "code": "malformed", "events": 2},
            {"source": "grocer", "code": "insufficient-points", "events": 1},
            {"source": "grocer", "code": "too-old", "events": 2},
        ],
        "points": points | {"outstanding": 900, "by_sponsor": [
            {"sponsor": "fuelco", "issued": 5, "redeemed": 0, "expired": 7, "returned": 0, "outstanding": 40},
            {"sponsor": "grocer", "issued": 12345600, "redeemed": 350, "expired": 0, "returned": 0, "outstanding": 900},
        ]},
    }  # fmt: skip
    return SettlementReport.model_validate(document | fields)


def first_night() -> SettlementReport:
    """The night before: one line, which is carried."""
    lines = [line("issue", "fuelco", "opco", 6, quantity=5, price="0.0110", events=1)]
    nothing = {"issued": 5, "redeemed": 0, "expired": 0, "returned": 0, "outstanding": 5}
    return report(
        window="2026-03-02",
        previous_sha256=None,
        positions=positions(lines),
        obligations=lines,
        matrix=pairs(lines),
        payments=[],
        carried=[{"currency": "EUR", "party": "fuelco", "amount_minor": -6, "since": "2026-03-02"}],
        senders=[],
        rejections=[],
        points=nothing | {"by_sponsor": [nothing | {"sponsor": "fuelco"}]},
    )


FIRST = first_night()
SECOND = report()
SHOWN = Shown(SECOND, SECOND.sha256(), (FIRST,), value_date=date(2026, 3, 4))
ALONE = Shown(FIRST, FIRST.sha256())
