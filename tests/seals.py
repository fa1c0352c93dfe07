"""A small house made in memory, with what it sealed: exports for tests, honest ones and ones that somebody inside has tampered with and signed again."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clearing.approval import DOMAIN
from clearing.merkle import root_of
from clearing.seal import HEAD_CONTEXT, Ranged, canonical, head_of, key_id, party_leaf, payments_leaf, ranged, sha256, summed
from services.seal import container
from services.seal.container import CHAIN, ENTRIES, PROOF, RESULT, STATEMENT
from services.seal.export import _chain_line, _path, _signed, result, statement, told
from services.seal.keys import public_keys
from services.seal.leaves import Leaf, made
from services.seal.verdict import Verdict
from services.seal.verify import verify

VERIFIER = Path(__file__).parents[1] / "deploy" / "verify_export.py"
WINDOW, PROGRAMME = "2026-03-02", "harvest"
RUN = {"run": 1, "report_sha256": "ab" * 32, "previous_report_sha256": None, "programme_sha256": "cd" * 32}
ISSUE: list[Any] = [1, "grocer", "2026-01-01", None, None, "points"]
SPENT: list[Any] = [3, "grocer", "2026-01-01", "fuelco", "2026-01-01", "points"]


class Key:
    """A signer whose key is nowhere else; always the same for one number."""

    def __init__(self, number: int) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """A signature."""
        return self._key.sign(message)


HOUSE = Key(1)
KEYS = {key_id(HOUSE.public): HOUSE.public}


def line(number: int, **named: Any) -> dict[str, Any]:
    """The body of an obligation line."""
    return {"line": number, "kind": "issue", "detail": None, "debtor": "grocer", "creditor": "opco", "currency": "EUR", "places": 2, "quantity": None,
            "unit_price": None, "amount_minor": 0, "events": 1, "contract": "2026-01-01", "sources": [], "basis": None, **named}  # fmt: skip


LINES = (
    line(0, kind="fee", detail="percent_of_issue", amount_minor=3, basis={"percent": "5", "of": [[2, "54"]]}, events=None),
    line(1, kind="vat", amount_minor=1, basis={"percent": "19", "of": [[0, "3"]]}, events=None),
    line(2, quantity=54, unit_price="0.0100", amount_minor=54, sources=[ISSUE], events=2),
    line(3, kind="redemption", debtor="opco", creditor="fuelco", quantity=50, unit_price="0.0085", amount_minor=42, sources=[SPENT]),
)


def event(party: str, offset: int, sender: str, moves: list[Any], outcome: str = "accepted") -> Leaf:
    """The leaf of an event for one party."""
    body = {"type": "purchase.v1", "source": f"/partners/{sender}", "id": f"e{offset}", "sender": sender, "received": WINDOW, "event_day": WINDOW,
            "outcome": outcome, "code": "malformed" if outcome == "rejected" else None, "moves": moves}  # fmt: skip
    return made(party, "entry", f"partner.transactions.v1/0/{offset}", body, canonical({"card": f"hc-{offset}", "member": "m1", "content": "ef" * 32}), 1)


def window_of_leaves(events: int = 3) -> dict[str, list[Leaf]]:
    """All leaves of a small window, by party: `events` purchases with the grocer, one redemption with the fuel company, one rejection."""
    gives = [54 - (events - 2), *[1] * (events - 2)]
    grocer = [event("grocer", no, "grocer", [[*ISSUE, points]]) for no, points in enumerate(gives)]
    grocer += [event("grocer", events - 1, "grocer", [], "rejected"), event("grocer", events, "fuelco", [[*SPENT, 50]])]
    own = {"fuelco": [event("fuelco", events, "fuelco", [[*SPENT, 50]])], "grocer": grocer, "opco": []}
    return {
        party: [
            made(party, "run", "", {"window": WINDOW, **RUN}),
            *(
                made(party, "line", str(body["line"]), body | ({"events": len(gives)} if body["sources"] == [ISSUE] else {}))
                for body in LINES
                if party in (body["debtor"], body["creditor"])
            ),
            *entries,
        ]
        for party, entries in own.items()
    }


@dataclass
class Sealed:
    """A sealed window, and what its exports are made of."""

    leaves: dict[str, list[Leaf]]
    heads: Sequence[tuple[str, bytes]]
    tops: list[Ranged]
    result: dict[str, Any] | None = None

    @property
    def head(self) -> str:
        """The hash of the last head."""
        return sha256(self.heads[-1][0].encode())


def sealed(leaves: dict[str, list[Leaf]], *, before: int = 1, signer: Key = HOUSE) -> Sealed:
    """Seals a window behind so many others."""
    tops = [party_leaf(party, root_of((leaf.node for leaf in own), summed)) for party, own in sorted(leaves.items())]
    heads: list[tuple[str, bytes]] = []
    for number in range(1, before + 2):
        previous = sha256(heads[-1][0].encode()) if heads else None
        day, root = (WINDOW, root_of(tops, ranged).hash) if number > before else (f"2026-02-{number:02}", bytes([number]) * 32)
        head = head_of(PROGRAMME, day, number, root, len(tops), RUN, previous, key_id(signer.public))
        heads.append((head.decode(), signer.sign(HEAD_CONTEXT + head)))
    return Sealed(leaves, heads, tops)


PEOPLE = {"ada": Key(21), "bob": Key(22), "cem": Key(23)}
PAYMENT = {"id": "H-2026-03-02-1", "kind": "outgoing", "currency": "EUR", "payer": "opco", "payee": "fuelco", "amount_minor": 42, "value_date": "2026-03-03",
           "state": "confirmed", "confirmed_minor": 42, "statements": ["S1"]}  # fmt: skip


def said(person: str, action: str, key: Key | None = None, **named: Any) -> dict[str, Any]:
    """A signature of the run as a result tells it."""
    statement = {"programme": PROGRAMME, "window": WINDOW, "run": RUN["run"], "report_sha256": RUN["report_sha256"], "person": person, "action": action,
                 "at": "2026-03-03T08:00:00.000000+00:00", "reason": None, **named}  # fmt: skip
    signer = key or PEOPLE[person]
    return {"statement": statement, "public_key": signer.public.hex(), "signature": signer.sign(DOMAIN + canonical(statement)).hex()}


SIGNED = (said("ada", "submit"), said("bob", "approve"), said("cem", "approve"))


def settled(of: Sealed, signatures: Sequence[dict[str, Any]] = SIGNED, payments: Sequence[dict[str, Any]] = (PAYMENT,)) -> Sealed:
    """The same window with its result sealed behind it."""
    own = {party: [one for one in payments if party in (one["payer"], one["payee"])] for party in sorted(of.leaves)}
    root = root_of((payments_leaf(party, canonical(some)) for party, some in own.items()), ranged).hash
    run = {name: RUN[name] for name in ("run", "report_sha256")}
    signed = list(signatures)
    head = head_of(PROGRAMME, WINDOW, len(of.heads) + 1, root, len(own), run, of.head, key_id(HOUSE.public), sha256(canonical(signed)))
    heads = [*of.heads, (head.decode(), HOUSE.sign(HEAD_CONTEXT + head))]
    return replace(of, heads=heads, result={"signatures": signed, "payments": own})


def export_of(of: Sealed, party: str, folder: Path, tamper: Callable[[dict[str, bytes]], None] = lambda _: None, signer: Key = HOUSE) -> Path:
    """Writes an export. `tamper` changes the files before the house, or somebody in it, signs their bytes."""
    shown = sorted(of.leaves) if party == "opco" else [party]
    head = json.loads(of.heads[-1 if of.result is None else -2][0])
    rows, lines = [], []
    for leaf in (leaf for name in shown for leaf in of.leaves[name]):
        body = json.loads(leaf.body)
        rows.append(canonical(told(leaf, disclosed=body.get("sender", party) == party)) + b"\n")
        if leaf.kind == "line" and leaf.party == party:
            lines.append(body)
    names = [top.first for top in of.tops]
    members = {
        STATEMENT: canonical(statement(head, party, lines)),
        ENTRIES: b"".join(rows),
        PROOF: canonical({"paths": {name: _path(of.tops, names.index(name)) for name in shown}}),
        CHAIN: b"".join(_chain_line(*each) for each in of.heads),
        RESULT: canonical(None if of.result is None else result(of.result, shown)),
    }
    tamper(members)
    target = folder / f"{party}.clh.tar"
    whole: dict[str, Path | bytes] = {**members}
    container.write(target, whole | _signed(whole, head, party, of.head, signer))
    return target


def auditor() -> Any:
    """The verifier of `deploy/verify_export.py`, as a module; signatures that it has checked once it remembers, as they are the same again."""
    spec = importlib.util.spec_from_file_location("verify_export", VERIFIER)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.signed = functools.cache(module.signed)
    return module


def key_file(folder: Path, *keys: Key) -> Path:
    """A file of the house's public keys."""
    path = folder / "house-keys.txt"
    path.write_text("# keys of the house\n" + "".join(f"{key.public.hex()} {key_id(key.public)} key\n" for key in keys or (HOUSE,)), encoding="ascii")
    return path


def both(path: Path, keys: Path, module: Any, head: str | None = None) -> tuple[Verdict, list[str]]:
    """What the two verifiers say."""
    return verify(path, public_keys(keys), known_head=head), module.Export(path, keys, head).problems
