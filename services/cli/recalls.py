"""How `clh settlement status` shows recalls: when the bank was asked for which payment, and what it has answered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from services.cli.output import print_table

ANSWERS: Final = {"ACCR": "accepted", "RJCR": "refused", "PDCR": "not decided yet"}
"""The statuses of `schemas.bank_messages.RecallStatus` for people."""


def recalls_as_json(connection: Any, run: int) -> list[dict[str, Any]]:
    """The recalls of a run's payments, as plain values."""
    from services.settlement.recalled import recalls_of

    return [{"run": run, **asdict(one)} for one in recalls_of(connection, run)]


def show_recalls(recalls: list[dict[str, Any]], day: object) -> None:
    """The same for people: a line for each answer; a recall without one waits."""
    rows = []
    for one in recalls:
        asked = (one["payment"], one["reason"], _moment(one["noted_at"]) if one["sent_at"] is None else _moment(one["sent_at"]))
        answers = [(_answer(said), _moment(said["received_at"]), said["message_id"]) for said in one["answers"]]
        waits = "not handed over: clh settlement recall" if one["sent_at"] is None else "none yet"
        rows += [(*asked, *answer, one["by"]) for answer in answers or [(waits, "", "")]]
    columns = ("payment", "reason", "asked at", "answer of the bank", "answered at", "message", "by")
    print_table(columns, rows, title=f"Recalls of payments of window {day}", optional=("message", "by"))


def _answer(said: dict[str, Any]) -> str:
    why = " ".join(part for part in (said["reason_code"], said["reason_text"]) if part)
    return ANSWERS[said["status"]] + (f" ({why})" if why else "")


def _moment(at: Any) -> str:
    return str(at.isoformat(timespec="seconds"))
