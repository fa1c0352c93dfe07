"""Who may sign what about a run: one maker submits it, two others approve it, anybody may reject it with a reason. Pure: what was signed is handed in.

A signature is made with the person's own Ed25519 key over `Statement.canonical()`, which binds programme, window, run, action, person, moment, reason,
the report's SHA-256, and the accounts between which is paid. Nothing that is approved can be exchanged afterwards: neither the report, nor the run, nor an
account, nor what was said about it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum, unique
from hashlib import sha256
from typing import Final

from clearing.errors import ClearingError
from clearing.people import same_person
from clearing.window import Event, Misplaced, State, WrongTransition, advance
from schemas.ids import ProgrammeId

APPROVALS: Final = 2
"""So many people approve a run, beside its maker."""
DOMAIN: Final = b"clh settlement signature v1\n"
"""Stands before what is signed, so that no signature made for anything else can be taken for one of these."""


@unique
class Action(StrEnum):
    """What a person says of a run."""

    SUBMIT = "submit"
    """The maker puts it forward for approval."""
    APPROVE = "approve"
    """A checker agrees."""
    REJECT = "reject"
    """A person refuses it, with a reason."""


@unique
class Unsigned(StrEnum):
    """Why a signature is not taken: the code under which it is refused. Those of the window's state are in `clearing.window.Misplaced`."""

    NOT_SUBMITTED = "not-submitted"
    SUBMITTED_ALREADY = "submitted-already"
    MAKER_IS_CHECKER = "maker-is-checker"
    SIGNED_ALREADY = "signed-already"
    MAKER_REVOKED = "maker-revoked"
    REASON_MISSING = "reason-missing"
    LATER_WINDOW_PAID = "later-window-paid"


class Refused(ClearingError):
    """A person may not sign this, for the reason in `code`; nothing has changed."""

    def __init__(self, code: Unsigned | Misplaced, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person signs. `reason` is given for a rejection and for nothing else; `at` is what the person's clock said.

    `accounts_sha256`: of the accounts between which the run is paid (`accounts_sha256`); None in a rejection, and in what was signed before accounts were.
    """

    programme: ProgrammeId
    window: date
    run: int
    action: Action
    person: str
    report_sha256: str
    at: datetime
    reason: str | None = None
    accounts_sha256: str | None = None

    def document(self) -> dict[str, str | int | None]:
        """What is signed, by name; the moment in UTC. Without accounts it is what it was before they were signed."""
        accounts = {} if self.accounts_sha256 is None else {"accounts_sha256": self.accounts_sha256}
        return accounts | {
            "action": self.action.value,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "person": self.person,
            "programme": self.programme,
            "reason": self.reason,
            "report_sha256": self.report_sha256,
            "run": self.run,
            "window": self.window.isoformat(),
        }

    def canonical(self) -> bytes:
        """The bytes that are signed: the domain, then JSON with sorted keys and without spaces."""
        return DOMAIN + json.dumps(self.document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that the run has. One whose key was revoked before the run was approved does not count."""

    action: Action
    person: str
    counts: bool = True


def accounts_sha256(accounts: Iterable[tuple[str, str]]) -> str:
    """What stands for the accounts of a run in a signature. `accounts`: each party that pays or is paid, with its IBAN, or nothing where it has none."""
    told = json.dumps(sorted(set(accounts)), separators=(",", ":"), ensure_ascii=False)
    return sha256(told.encode()).hexdigest()


def judge(state: State, signed: Sequence[Signed], action: Action, person: str, *, reason: str | None = None, later: Sequence[State] = ()) -> Event | None:
    """What a signature of `person` moves the window by; None where it stands as it was (submission, first approval).

    `state`: of the window. `signed`: what its newest run has. `later`: states of the windows after it. Raises `Refused` where the person may not sign.
    """
    match action:
        case Action.REJECT:
            return _reject(state, reason, later)
        case Action.SUBMIT:
            _expect(state, Event.APPROVED)
            _submit(signed, person)
            return None
        case Action.APPROVE:
            _expect(state, Event.APPROVED)
            _approve(signed, person)
            approvals = sum(one.action is Action.APPROVE and one.counts for one in signed) + 1
            return Event.APPROVED if approvals >= APPROVALS else None


def _expect(state: State, event: Event) -> None:
    try:
        advance(state, event)
    except WrongTransition as wrong:
        raise Refused(wrong.code, str(wrong)) from None


def _reject(state: State, reason: str | None, later: Sequence[State]) -> Event:
    _expect(state, Event.REJECTED)
    if not (reason or "").strip():
        raise Refused(Unsigned.REASON_MISSING, "a run is rejected with a reason")
    if paid := [one for one in later if one in (State.INSTRUCTED, State.SETTLED, State.DEFAULTED)]:
        raise Refused(Unsigned.LATER_WINDOW_PAID, f"a later window is {paid[0]} already, and rests on this one: correct it in the current window")
    return Event.REJECTED


def _submit(signed: Sequence[Signed], person: str) -> None:
    maker = next((one for one in signed if one.action is Action.SUBMIT), None)
    if maker is not None:
        raise Refused(Unsigned.SUBMITTED_ALREADY, f"{maker.person} has submitted it already")
    if any(same_person(one.person, person) for one in signed):
        raise Refused(Unsigned.SIGNED_ALREADY, f"{person} has signed it already")


def _approve(signed: Sequence[Signed], person: str) -> None:
    maker = next((one for one in signed if one.action is Action.SUBMIT), None)
    if maker is None:
        raise Refused(Unsigned.NOT_SUBMITTED, "nobody has submitted it for approval")
    if same_person(maker.person, person):
        raise Refused(Unsigned.MAKER_IS_CHECKER, f"{person} has submitted it, and cannot approve it too")
    if any(same_person(one.person, person) and one.action is Action.APPROVE for one in signed):
        raise Refused(Unsigned.SIGNED_ALREADY, f"{person} has approved it already: another person has to")
    if not maker.counts:
        raise Refused(Unsigned.MAKER_REVOKED, f"the key of {maker.person}, who submitted it, is revoked: reject it, and let another person submit the new run")
