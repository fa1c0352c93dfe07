"""What holds for any card transactions, refunds, chargebacks and reversals in any order: taking back never passes what was given, all back is all back."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.short import Json, card, chargeback, recharge, redeem, refund
from tests.unit.clearing.baskets import EURO
from tests.unit.clearing.cards import nets, state
from tests.unit.clearing.till import BOTH, Entry, Till, contract, mechanic

WHOLE = (*BOTH, contract("bank1", "0.0100", "0.0100"))
"""Points at whole cents: no line is rounded, so what comes and goes in other lines comes to the same."""
CODES = ("5411", "5541", "6011")
TOKENS = ("c1", "c2")
SHARES = [
    [{"party": "purchase_partner", "share": "1"}],
    [{"party": "purchase_partner", "share": "0.5"}, {"party": "grocer", "share": "0.5"}],
    [{"party": "bank1", "share": "0.33"}, {"party": "grocer", "share": "0.33"}, {"party": "fuelco", "share": "0.34"}],
]


@st.composite
def mechanics(draw: st.DrawFn) -> list[Entry]:
    """Points and cash-back with conditions, limits and funders; a round-up."""
    found: list[Entry] = []
    for no, kind in enumerate(draw(st.lists(st.sampled_from(["card_points", "cash_back"]), min_size=1, max_size=3))):
        terms: Json = {"funding": draw(st.sampled_from(SHARES)), "exclude_mcc": draw(st.sampled_from([[], ["quasi_cash"]]))}
        unit = "points" if kind == "card_points" else "amount"
        most = draw(st.sampled_from([None, 0, 150, 400]))
        limits: list[Json] = [] if most is None else [{unit: most if unit == "points" else f"{most / 100:.2f}", "per": draw(st.sampled_from(["day", "ever"]))}]
        terms["limit"] = limits + draw(st.sampled_from([[], [{"times": 2, "per": "day"}]]))
        if kind == "card_points":
            terms["rates"] = [{"mcc": "5411", "points": 2, "per": EURO}, {"mcc": "0000-9999", "points": 1, "per": {"amount": "0.70", "currency": "EUR"}}]
        else:
            terms |= {"percent": draw(st.sampled_from(["2", "1.5", "33.3"])), "least_spend": draw(st.sampled_from(["0.00", "10.00"]))}
        found.append(mechanic(kind, f"m{no}", **terms))
    return [*found, mechanic("round_up", "up", multiple="1.00", match={"party": "grocer", "percent": "50", "limit": {"amount": "1.00", "per": "day"}})]


amounts = st.integers(1, 5000)
spends = st.lists(st.tuples(amounts, st.sampled_from(CODES), st.sampled_from(TOKENS)), min_size=1, max_size=4)
steps = st.lists(st.tuples(st.sampled_from(["refund", "chargeback", "reversal", "redeem"]), st.integers(0, 3), st.integers(1, 5000)), max_size=12)


def lived(entries: list[Entry], bought: list[tuple[int, str, str]], done: list[tuple[str, int, int]], bearing: str) -> tuple[Till, Counter[str]]:
    """A till after some transactions and what came after them; and what of each transaction is left."""
    till = Till(*entries, contracts=WHOLE, spent_points_on_return=bearing)
    till.books.enrol("m2", "c2")
    left: Counter[str] = Counter()
    charged: Counter[str] = Counter()
    for no, (amount, mcc, token) in enumerate(bought):
        till.send(card(f"t{no}", amount, mcc, token=token))
        left[f"t{no}"] = amount
    for no, (what, of, amount) in enumerate(done):
        name, token = f"t{of % len(bought)}", bought[of % len(bought)][2]
        if what == "redeem":
            till.send(redeem(f"x{no}", amount, card=token))
            continue
        room = charged[name] if what == "reversal" else left[name]
        event = {"refund": refund, "chargeback": chargeback, "reversal": recharge}[what](f"s{no}", name, amount, token=token)
        (told,) = till.send(event)
        assert told.startswith("accepted") if amount <= room else told == "returned-too-much /data/amount_minor"
        if amount <= room:
            left[name] += amount if what == "reversal" else -amount
            charged[name] += {"refund": 0, "chargeback": amount, "reversal": -amount}[what]
    return till, left


def sums(till: Till) -> dict[tuple[str, str, str], list[int]]:
    """By transaction, mechanic and sponsor, what was given and taken, event by event (points that nobody has any more included)."""
    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for history in till.books.decisions.values():
        for _, decision in history:
            data = decision.received.event.data
            for effect in decision.effects:
                if effect.mechanic is not None and effect.kind in ("points", "cash_back"):
                    of = getattr(data, "original_id", None) or decision.received.event.id
                    found[str(of), effect.mechanic, str(effect.sponsor)].append(effect.value)
    return found


def whoever_funded(state_of_member: Any) -> Any:
    """The same with lots of several sponsors together: where spent points came back, those of another sponsor repaid the debt (rule 7), and stay spent."""
    *rest, lots, last = state_of_member
    together: Counter[Any] = Counter()
    for key, (points, expired) in lots.items():
        together[key._replace(sponsor=None), "points"] += points
        together[key._replace(sponsor=None), "expired"] += expired
    return rest, together, last


def test_points_that_repaid_for_another_sponsor_stay_spent_when_the_chargeback_is_reversed() -> None:
    half = mechanic("card_points", "half", rates=[{"mcc": "5411", "points": 2, "per": EURO}], funding=SHARES[1])
    till, _ = lived([half], [(302, "5411", "c1")], [("redeem", 0, 2)], "negative_balance")
    before = state(till)
    assert {key.sponsor: lot for key, lot in before[5].items()} == {"bank1": (1, 0), "grocer": (3, 0)}  # three each were given, two of bank1's are spent
    till.send(chargeback("k", "t0", 103, token="c1"))  # 1.99 is worth 2 points, so 2 of each go: one of bank1's is missing, and one of the grocer's repays it
    assert state(till)[5] == {}
    till.send(recharge("v", "k", 103, token="c1"))
    assert {key.sponsor: lot for key, lot in state(till)[5].items()} == {"bank1": (2, 0), "grocer": (2, 0)}
    assert whoever_funded(state(till)) == whoever_funded(before)


ANY_BEARER = st.sampled_from(["negative_balance", "operator", "partner"])
HARD = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@HARD
@given(mechanics(), spends, steps, ANY_BEARER)
def test_reversals_never_pass_what_was_given_and_a_full_refund_takes_back_all(
    entries: list[Entry], bought: list[tuple[int, str, str]], done: list[tuple[str, int, int]], bearing: str
) -> None:
    till, left = lived(entries, bought, done, bearing)
    for key, values in sums(till).items():
        so_far = 0
        for value in values:
            so_far += value
            assert 0 <= so_far <= values[0], key

    for no, (name, rest) in enumerate(left.items()):
        token = bought[int(name[1:])][2]
        (told,) = till.send(refund(f"all{no}", name, rest, token=token))
        assert told.startswith("accepted")
    assert all(sum(values) == 0 for values in sums(till).values())
    for member in ("m1", "m2"):
        assert till.member(member).memory.keys() <= {"up"}
        assert {name: used for name, used in till.member(member).used.items() if not name.startswith("up:")} == {}
    till.night()
    cash = Counter[str]()
    for run in till.books.runs.values():
        for one in run.obligations:
            if one.kind in ("cash_back", "cash_back_reversal"):
                cash[one.creditor] += one.amount_minor
                cash[one.debtor] -= one.amount_minor
    assert not any(cash.values())


@HARD
@given(mechanics(), spends, st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5000)), max_size=4), st.integers(0, 4000), ANY_BEARER)
def test_chargebacks_and_their_reversals_leave_nothing_changed(
    entries: list[Entry], bought: list[tuple[int, str, str]], charges: list[tuple[int, int]], points: int, bearing: str
) -> None:
    spend: list[tuple[str, int, int]] = [("redeem", 0, points)] if points else []
    plain, _ = lived(entries, bought, spend, bearing)
    till, left = lived(entries, bought, spend, bearing)
    before = state(till)
    made = []
    for no, (of, amount) in enumerate(charges):
        name, token = f"t{of % len(bought)}", bought[of % len(bought)][2]
        if amount <= left[name]:
            left[name] -= amount
            till.send(chargeback(f"k{no}", name, amount, token=token))
            made.append((f"k{no}", amount, token))
    for name, amount, token in reversed(made):
        (told,) = till.send(recharge(f"v{name}", name, amount, token=token))
        assert told.startswith("accepted")
    assert state(till) == before or (points and whoever_funded(state(till)) == whoever_funded(before))
    plain.night()
    till.night()
    assert nets(till) == nets(plain)
