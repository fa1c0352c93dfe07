"""A second, slow answer to what matches: plain loops over rows as dicts, written from banks.md and ADR 16, without the statements.

Ties are broken by `content`, an opaque text of each row; the rows are those of the tables, with `no`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
Match = tuple[int, int | None, int | None]
"""Pass, number of our row, number of the bank's."""
REVERSES = {"REFUND", "CHARGEBACK"}
CARD = {"EARN", "REFUND", "CHARGEBACK", "CHARGEBACK_REVERSAL"}
FOUR_DAYS = timedelta(days=4)


def _text(value: Any) -> str:
    return value or ""


def _key(row: Row) -> tuple[str, str]:
    return row["bank_txn_id"], row["event_type"]


def _reward(row: Row) -> tuple[str, str]:
    return _text(row["reward_kind"]), _text(row["rule_id"])


def _sense(row: Row) -> tuple[bool, str]:
    return row["event_type"] in REVERSES, "" if row["event_type"] in CARD else row["event_type"]


def _unit(row: Row) -> str:
    return _text(row["reward_ccy"])


def _agree(o: Row, t: Row) -> bool:
    return all(
        (
            _key(o) == _key(t), _reward(o) == _reward(t), o["card_ref"] == t["card_ref"], o["billing_ccy"] == t["billing_ccy"],
            o["billing_minor"] == t["billing_minor"], _unit(o) == _unit(t), o["reward_units"] == t["reward_units"],
            (o["cap_cut_units"] or 0) == (t["cap_cut_units"] or 0),
        )
    )  # fmt: skip


def difference(o: Row, t: Row) -> str | None:
    """The code of a pair, the first that fits."""
    mine, its = o["reward_units"], t["reward_units"]
    split = [t["bank_funded"], t["merchant_funded"], t["network_funded"]]
    own = [o["bank_funded"], o["merchant_funded"], o["network_funded"]]
    told = any(part is not None for part in split)
    whole = [part or 0 for part in split]
    checks: list[tuple[str, Callable[[], bool]]] = [
        ("WRONG_CARD", lambda: o["card_ref"] != t["card_ref"]),
        ("WRONG_PROGRAMME", lambda: _unit(o) != _unit(t) and o["reward_kind"] == t["reward_kind"] == "POINTS"),
        ("CURRENCY", lambda: o["billing_ccy"] != t["billing_ccy"] or bool(_unit(o) != _unit(t) and o["reward_kind"] and t["reward_kind"])),
        ("DIRECTION", lambda: mine * its < 0),
        ("SPLIT_INCOMPLETE", lambda: told and sum(whole) != its),
        ("SPLIT_INCOMPLETE", lambda: mine == its and told and any(part is not None for part in own) and [part or 0 for part in own] != whole),
        ("RULE_VERSION", lambda: bool(o["rule_id"] and t["rule_id"] and o["rule_id"] != t["rule_id"])),
        ("RULE_VERSION", lambda: None not in (o["rule_version"], t["rule_version"]) and o["rule_version"] != t["rule_version"]),
        ("INELIGIBLE_MCC", lambda: mine != its and (o["mcc"] != t["mcc"] or (t["exclusion_code"] and its == 0) or (not o["reward_kind"] and its != 0))),
        ("FX_RATE", lambda: o["billing_minor"] != t["billing_minor"] and t["txn_ccy"] is not None and t["txn_ccy"] != t["billing_ccy"]),
        ("CAP_DIFFERENCE", lambda: mine != its and mine + (o["cap_cut_units"] or 0) == its + (t["cap_cut_units"] or 0)),
        ("AMOUNT_OVER", lambda: its > mine or (its == mine and t["billing_minor"] > o["billing_minor"])),
        ("AMOUNT_UNDER", lambda: its < mine or t["billing_minor"] < o["billing_minor"]),
    ]
    return next((code for code, fits in checks if fits()), None)


def _every(_: Row) -> bool:
    return True


def _empty(row: Row) -> bool:
    return not row["reward_kind"]


def _has_arn(row: Row) -> bool:
    return row["arn"] is not None


class Oracle:
    """Both sides of one bank, and what was matched in earlier runs."""

    def __init__(self, ours: Sequence[Row], theirs: Sequence[Row], matched: Iterable[Match]) -> None:
        before = list(matched)
        gone_ours, gone_theirs = {ours_no for _, ours_no, _ in before}, {no for _, _, no in before}
        self.seen = [row for row in theirs if row["no"] in gone_theirs]
        self.ours = [row for row in ours if row["no"] not in gone_ours]
        self.theirs = [row for row in theirs if row["no"] not in gone_theirs]
        self.found: list[Match] = []
        self.ambiguous: set[tuple[str, int]] = set()

    def run(self) -> list[Match]:
        """All passes in their order; what they matched."""
        self._agreed()
        self._replays()
        for which, key, given in ((2, _key, _every), (3, self._arn, _has_arn)):
            self._by_key(which, key, given)
        while self._nearest():
            pass
        self._circumstances()
        self._groups()
        return self.found

    @staticmethod
    def _arn(row: Row) -> tuple[Any, ...]:
        return row["arn"], row["card_ref"], _sense(row)

    def _take(self, which: int, ours: Row | None, theirs: Row | None) -> None:
        self.found.append((which, None if ours is None else ours["no"], None if theirs is None else theirs["no"]))
        if ours is not None:
            self.ours.remove(ours)
        if theirs is not None:
            self.theirs.remove(theirs)

    def _agreed(self) -> None:
        taken = {_key(row) for row in self.seen}
        pairs = [(o, t) for o in self.ours for t in self.theirs if _key(t) not in taken and _agree(o, t) and difference(o, t) is None]
        mine, its = Counter(o["no"] for o, _ in pairs), Counter(t["no"] for _, t in pairs)
        for o, t in pairs:
            if mine[o["no"]] == its[t["no"]] == 1:
                self._take(2, o, t)

    def _replays(self) -> None:
        known = {row["content"] for row in self.seen}
        for row in sorted(self.theirs, key=lambda each: each["no"]):
            if row["content"] in known:
                self._take(1, None, row)
            known.add(row["content"])

    def _by_key(self, which: int, key: Callable[[Row], tuple[Any, ...]], given: Callable[[Row], bool]) -> None:
        full = ("event_type", "card_ref", "billing_ccy", "billing_minor", "reward_units")

        def all_of(row: Row) -> tuple[Any, ...]:
            return (*key(row), _reward(row), _unit(row), row["cap_cut_units"] or 0, *(row[name] for name in full))

        steps: list[tuple[Callable[[Row], Any], Callable[[Row], bool], Callable[[Row], bool]]] = [
            (all_of, _every, _every), (lambda row: (*key(row), _reward(row)), _every, _every), (lambda row: (*key(row), _reward(row)[0]), _every, _every),
            (key, _empty, _every), (key, _every, _empty),
        ]  # fmt: skip
        for by, of_ours, of_theirs in steps:
            for value in {by(row) for row in self.ours if given(row)}:
                mine = self._sorted(row for row in self.ours if given(row) and of_ours(row) and by(row) == value)
                its = self._sorted(row for row in self.theirs if given(row) and of_theirs(row) and by(row) == value)
                for o, t in zip(mine, its, strict=False):
                    self._take(which, o, t)

    @staticmethod
    def _sorted(rows: Iterable[Row]) -> list[Row]:
        return sorted(rows, key=lambda row: (row["reward_units"], row["content"], row["no"]))

    def _nearest(self) -> bool:
        def together(row: Row) -> tuple[Any, ...]:
            return row["rrn"], row["auth_code"], row["card_ref"], _sense(row), _text(row["reward_kind"])

        def far(o: Row, t: Row) -> tuple[Any, ...]:
            return (
                abs(_at(o) - _at(t)), o["event_type"] != t["event_type"], _text(o["rule_id"]) != _text(t["rule_id"]),
                abs(o["reward_units"] - t["reward_units"]),
            )  # fmt: skip

        pairs = [
            (o, t) for o in self.ours for t in self.theirs
            if None not in together(o) and together(o) == together(t) and abs(_at(o) - _at(t)) <= FOUR_DAYS
        ]  # fmt: skip
        best = [
            (o, t) for o, t in pairs
            if t is min((b for a, b in pairs if a is o), key=lambda b: (*far(o, b), b["content"], b["no"]))
            and o is min((a for a, b in pairs if b is t), key=lambda a: (*far(a, t), a["content"], a["no"]))
        ]  # fmt: skip
        for o, t in best:
            self._take(4, o, t)
        return bool(best)

    def _circumstances(self) -> None:
        def alike(row: Row) -> tuple[Any, ...]:
            return row["card_ref"], row["acceptor_id"], row["billing_minor"], row["billing_ccy"], row["event_type"], _text(row["reward_kind"])

        pairs = [
            (o, t) for o in self.ours for t in self.theirs
            if None not in alike(o) and alike(o) == alike(t) and abs(_at(o) - _at(t)) <= FOUR_DAYS
            and (_text(o["rule_id"]) == _text(t["rule_id"]) or not o["rule_id"] or not t["rule_id"])
        ]  # fmt: skip
        mine, its = Counter(o["no"] for o, _ in pairs), Counter(t["no"] for _, t in pairs)
        for o, t in pairs:
            if mine[o["no"]] == its[t["no"]] == 1:
                self._take(5, o, t)
            else:
                self.ambiguous |= {("ours", o["no"]), ("theirs", t["no"])}

    def _groups(self) -> None:
        def sums(rows: Iterable[Row], side: str) -> dict[Any, list[Row]]:
            made: dict[Any, list[Row]] = {}
            for row in rows:
                if row["settlement_ref"] is not None and row["reward_kind"] and (side, row["no"]) not in self.ambiguous:
                    made.setdefault((row["settlement_ref"], row["reward_kind"], _unit(row)), []).append(row)
            return made

        mine, its = sums(self.ours, "ours"), sums(self.theirs, "theirs")
        for key in mine.keys() & its.keys():
            if sum(row["reward_units"] for row in mine[key]) == sum(row["reward_units"] for row in its[key]):
                for row in mine[key]:
                    self._take(6, row, None)
                for row in its[key]:
                    self._take(6, None, row)


def _at(row: Row) -> datetime:
    return datetime.fromisoformat(row["transacted_at"])
