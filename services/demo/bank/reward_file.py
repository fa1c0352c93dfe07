"""The bank's own file of a day: what it was told, in the bank's words; and on one day with what banks get wrong, one mistake of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from schemas.card_files import COLUMNS, EventType, RewardKind
from services.bank.detail import Detail
from services.bank.detail_file import path_of, write_lines, write_manifest
from services.demo.bank.cards import BANK

Row = dict[str, Any]
Rows = list[Row]


class NothingLikeIt(RuntimeError):
    """The day has no line of which a mistake could be made."""


def write_file(detail: Detail, folder: Path, *, previous: str | None, mistakes: bool) -> Path:
    """Writes the bank's file of a window and its manifest; returns its path. `previous`: id of the file before it. Raises `NothingLikeIt`."""
    programme, day = detail.plan.programme, detail.day
    rows = [{name: row[name] for name in COLUMNS} for row in detail.rows()]
    if mistakes:
        rows = with_mistakes(rows, day, programme.accepts_events_up_to_days)
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(folder, BANK, programme, day)
    lines = write_lines(path, (row | {"line_no": no} for no, row in enumerate(rows, 1)))
    write_manifest(path, lines, bank=BANK, programme=programme, day=day, file_id=file_id(day), previous=previous)
    return path


def file_id(day: date) -> str:
    """What the bank calls its file of a day."""
    return f"{BANK}-{day}"


# --- mistakes: each takes lines that no other has taken, and gives what the bank writes instead ---------------------------------------------


def with_mistakes(rows: Rows, day: date, oldest_days: int) -> Rows:
    """The lines of a day as a careless bank would write them: each mistake is made of a transaction of its own. Raises `NothingLikeIt`."""
    taken: set[str] = set()

    def take(fits: Callable[[Row], bool]) -> Row:
        for row in rows:
            if row["bank_txn_id"] not in taken and fits(row):
                taken.add(row["bank_txn_id"])
                return row
        raise NothingLikeIt

    for spoil in SPOILT:
        spoil(rows, take)
    strange = take(_cash)
    return [*rows, *_strangers(strange, day, oldest_days)]


def _cash(row: Row) -> bool:
    return row["event_type"] is EventType.EARN and row["reward_kind"] == RewardKind.CASHBACK and row["reward_units"] > 3 and not row["cap_cut_units"]


def _cut(row: Row) -> bool:
    return row["event_type"] is EventType.EARN and bool(row["cap_cut_units"]) and row["reward_units"] > 0


Take = Callable[[Callable[[Row], bool]], Row]
Spoil = Callable[[Rows, Take], None]


def _changed(fits: Callable[[Row], bool], change: Callable[[Row], Row]) -> Spoil:
    def spoil(_rows: Rows, take: Take) -> None:
        row = take(fits)
        row |= change(row)

    return spoil


def _left_out(rows: Rows, take: Take) -> None:
    """MISSING_AT_BANK."""
    gone = take(_cash)["bank_txn_id"]
    rows[:] = [row for row in rows if row["bank_txn_id"] != gone]


def _paid_more(units: int) -> Callable[[Row], Row]:
    return lambda row: {"reward_units": row["reward_units"] + units, "bank_funded": row["bank_funded"] + units}


SPOILT: Final[Sequence[Spoil]] = (
    _changed(_cash, _paid_more(1)),  # AMOUNT_OVER: rounded up, not half-even
    _changed(_cash, _paid_more(-1)),  # AMOUNT_UNDER
    _changed(_cash, lambda _: {"reward_ccy": "EUR"}),  # CURRENCY
    _changed(_cash, lambda _: {"bank_funded": 0}),  # SPLIT_INCOMPLETE: nobody funds the rest
    _changed(_cash, lambda _: {"rule_version": date(2016, 7, 1)}),  # RULE_VERSION: last year's rule
    _changed(_cash, lambda _: {"reward_units": 0, "bank_funded": 0, "merchant_funded": 0, "network_funded": 0, "exclusion_code": "MCC"}),  # INELIGIBLE_MCC
    _changed(_cash, lambda row: {name: -row[name] for name in ("reward_units", "bank_funded", "merchant_funded", "network_funded")}),  # DIRECTION
    _changed(_cut, lambda row: _paid_more(row["cap_cut_units"])(row) | {"cap_cut_units": 0}),  # CAP_DIFFERENCE: the limit was overlooked
    _left_out,
)


def _strangers(like: Row, day: date, oldest_days: int) -> Iterator[Row]:
    """Lines of transactions that the house has not booked, or refuses to book."""
    at = datetime.fromisoformat(like["transacted_at"])
    own = {"rrn": None, "arn": None, "auth_code": None}
    old = (at - timedelta(days=oldest_days + 5)).isoformat()
    yield like | own | {"bank_txn_id": f"mb-{day}-old", "transacted_at": old}  # LATE
    yield like | own | {"bank_txn_id": f"mb-{day}-unknown", "card_ref": "mb-token-of-nobody"}  # MISSING_AT_PROGRAMME: held, nobody owns the card
    back = own | {"event_type": EventType.REFUND, **{name: -like[name] for name in ("reward_units", "bank_funded", "merchant_funded", "network_funded")}}
    yield like | back | {"bank_txn_id": f"mb-{day}-back", "original_bank_txn_id": f"mb-{day}-never"}  # REVERSED_UNMATCHED
    yield like | back | {  # OVER_REVERSED: more comes back than was paid
        "bank_txn_id": f"mb-{day}-twice", "original_bank_txn_id": like["bank_txn_id"], "billing_minor": like["billing_minor"] * 2,
    }  # fmt: skip
