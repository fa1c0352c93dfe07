"""The data of answers, as JSON text: what an event brought about, or why it was refused. Envelopes are put around them by the relay."""

import json
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring as quote

from clearing.events import Decision, Effect, Outcome, Refused
from schemas.ids import MechanicId
from services.accrual.incoming import Incoming


def accrual(source: str, event_id: str, decision: Decision, window: str) -> str:
    """`accrual.v1` of an accepted or held event (a waiting one is answered when it is decided)."""
    if decision.outcome is not Outcome.ACCEPTED:
        return (
            f'{{"event":{{"source":"{source}","id":"{event_id}"}},"outcome":"{decision.outcome.value}","member":null,"window":null,'
            f'"effects":[{",".join(map(effect, decision.effects))}],"balance":null}}'
        )
    member, balance = decision.member, decision.balance
    left = "null"
    if balance:
        waits = f',"unfunded":{decision.unfunded}' if decision.unfunded else ""
        left = f'{{"available":{balance[0]},"pending":{balance[1]}{waits}}}'
    return (
        f'{{"event":{{"source":"{source}","id":"{event_id}"}},"outcome":"accepted","member":{quote(member.id) if member else "null"},"window":"{window}",'
        f'"effects":[{",".join([effect(e) for e in decision.effects])}],"balance":{left}}}'
    )


def effect(e: Effect) -> str:
    """One effect; ids are plain by their schema, gifts are not."""
    if e.kind == "points" and e.mechanic is not None and e.sponsor is not None:  # nearly all
        return f'{{"mechanic":"{e.mechanic}","kind":"points","points":{e.value},"sponsor":"{e.sponsor}","reason":"{e.reason}"}}'
    mechanic = "null" if e.mechanic is None else f'"{e.mechanic}"'
    sponsor = "null" if e.sponsor is None else f'"{e.sponsor}"'
    if e.currency is not None:
        amount = f'"amount_minor":{e.value},"currency":"{e.currency}"'
    elif e.kind == "points":
        amount = f'"points":{e.value}'
    else:
        amount = f'"count":{e.value}'
    gift = "" if e.gift is None else f'"gift":{quote(e.gift)},'
    return f'{{"mechanic":{mechanic},"kind":"{e.kind}",{amount},{gift}"sponsor":{sponsor},"reason":"{e.reason}"}}'


def amended(answer: str, decision: Decision, mechanics: Sequence[MechanicId]) -> str:
    """An answer with what the night has added to its effects, and the balance after it. The effects stand in the order of the file, which `mechanics` is."""
    data = json.loads(answer)
    data["effects"] += [json.loads(effect(added)) for added in decision.effects]
    data["effects"].sort(key=lambda each: mechanics.index(each["mechanic"]))
    if decision.balance is not None:
        data["balance"] = {"available": decision.balance[0], "pending": decision.balance[1]} | ({"unfunded": decision.unfunded} if decision.unfunded else {})
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def rejection(incoming: Incoming, refusal: Refused, topic: str) -> str:
    """`rejection.v1` without the event itself, which the relay puts in from its entry."""
    return json.dumps(
        {
            "event": {"source": incoming.source, "id": incoming.id} if incoming.source is not None else None,
            "code": refusal.code.value,
            "detail": refusal.detail,
            "pointer": refusal.pointer,
            "type": incoming.type,
            "retryable": refusal.code.retryable,
            "record": {"topic": topic, "partition": incoming.partition, "offset": incoming.offset},
        },
        separators=(",", ":"),
    )


def waiting() -> str:
    """Nothing is answered before the window is cut."""
    return "{}"


def effects_of(answer: str) -> Iterable[dict[str, object]]:
    """The effects in an answer's data."""
    effects: list[dict[str, object]] = json.loads(answer).get("effects", [])
    return effects
