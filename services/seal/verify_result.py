"""The result of a settled window as an export tells it: signatures are checked again, and each party's payments are all that were sealed for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clearing.approval import APPROVALS, DOMAIN, Action
from clearing.merkle import climb
from clearing.seal import canonical, payments_leaf, ranged, sha256
from services.seal.bodies import unhex
from services.seal.files import Payment, Way, read_as
from services.settlement.keys import holds


def wrong_result(told: Any, window: Mapping[str, Any], settled: Mapping[str, Any] | None, parties: Sequence[str]) -> Iterator[str]:
    """What does not hold. `told`: the file; `window`, `settled`: the heads of the entries and of the result; `parties`: those whose entries are there."""
    if settled is None:
        if told is not None:
            yield "it tells of a result, and no head of one is in the chain"
        return
    run = {name: window["run"][name] for name in ("run", "report_sha256")}
    if canonical(settled["run"]) != canonical(run) or settled["parties"] != window["parties"]:
        yield "the head of the result is of another run than that of the window"
    if set(told) != {"signatures", "payments", "paths"} or not set(told["payments"]) == set(told["paths"]) == set(parties):
        yield "it proves payments of other parties than those whose entries are there"
        return
    if sha256(canonical(told["signatures"])) != settled["signatures"]:
        yield "its signatures are not those that were sealed"
    yield from _signatures(told["signatures"], settled)
    root = unhex(settled["root"])
    for party in parties:
        way = read_as(Way, told["paths"][party])
        if climb(payments_leaf(party, canonical(told["payments"][party])), way.index, settled["parties"], way.beside(), ranged).hash != root:
            yield f"the payments of {party} are not those that were sealed"
    yield from _payments(told["payments"], parties, settled["parties"])


def _signatures(signatures: Sequence[Mapping[str, Any]], settled: Mapping[str, Any]) -> Iterator[str]:
    """One maker, then two checkers who are others, each with a key of his own; each signed this run and report, and those who signed accounts the same."""
    about = {"programme": settled["programme"], "window": settled["window"], **settled["run"]}
    for one in signatures:
        said = one["statement"]
        who = f"the signature of {said['person']} ({said['action']})"
        if {name: said[name] for name in about} != about:
            yield f"{who} is about another run or report"
        if not holds(unhex(one["public_key"]), DOMAIN + canonical(said), unhex(one["signature"])):
            yield f"{who} does not hold"
    actions = [one["statement"]["action"] for one in signatures]
    if actions != [Action.SUBMIT, *[Action.APPROVE] * APPROVALS]:
        yield f"its run was not submitted and then approved {APPROVALS} times"
    if not len({one["statement"]["person"] for one in signatures}) == len({one["public_key"] for one in signatures}) == len(signatures):
        yield "maker and checkers are not different people, each with a key of his own"
    if len({one["statement"].get("accounts_sha256") for one in signatures} - {None}) > 1:
        yield "maker and checkers have not signed the same accounts"


def _payments(payments: Mapping[str, Sequence[Mapping[str, Any]]], parties: Sequence[str], all_parties: int) -> Iterator[str]:
    """A party's payments are its own; where both sides are there, they say the same."""
    for party, own in payments.items():
        for one in own:
            if not read_as(Payment, one).can_be:
                yield f"payment {one['id']} is of nothing, in no currency, or to oneself"
            if party not in (one["payer"], one["payee"]):
                yield f"payment {one['id']} is not one of {party}"
            other = one["payee"] if party == one["payer"] else one["payer"]
            if len(parties) == all_parties and one not in payments.get(other, ()):
                yield f"payment {one['id']} is not told by {other}"
