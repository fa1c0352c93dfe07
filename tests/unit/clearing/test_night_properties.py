"""What holds for any coalition and any window: nothing is lost, nothing is counted twice, order and batches do not matter."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearing.checks import payments_cover_positions, positions_sum_to_zero
from clearing.entries import Code, LineKind, Total, add_up
from clearing.fees import MONTHLY_MINIMUM
from clearing.lines import Obligation
from clearing.netting import CarriedPositions, net, positions
from clearing.obligations import OWED_BY_NOBODY, fees_paid, price
from clearing.rounding import half_even
from schemas.ids import PartyId
from schemas.money import currency_places
from schemas.programme import ProgrammeFile
from tests.unit.clearing.coalition import FIRST, MONDAY, MONTH_END, contract, programme, total

PARTNERS = ("opco", "grocer", "fuelco", "baker")
SECOND = date(2026, 2, 1)
OPCO = PartyId("opco")

prices = st.sampled_from(["0", "0.0001", "0.0049", "0.0085", "0.0100", "0.25", "1.005"])
shares = st.sampled_from(["0", "0.25", "0.5", "1"])
percents = st.sampled_from(["0", "1", "5", "12.5", "19", "400"])
currencies = st.sampled_from(["EUR", "CZK", "JPY"])
amounts = st.sampled_from(["0", "1", "250"])


@st.composite
def contracts(draw: st.DrawFn, party: str, since: date, model: str) -> dict[str, Any]:
    """A version with every role, any price, any fees and any tax."""
    kinds = draw(st.lists(st.sampled_from(["per_transaction", "percent_of_issue", "percent_of_redemption", "monthly", MONTHLY_MINIMUM]), unique=True))
    fees = [
        {"kind": kind, "percent": draw(percents)} if kind.startswith("percent") else {"kind": kind, "amount": draw(amounts), "currency": draw(currencies)}
        for kind in kinds
    ]
    applies_to = draw(st.lists(st.sampled_from(["fees", "issue", "redemption"]), unique=True))
    return contract(
        party,
        draw(prices),
        draw(prices),
        since=since,
        currency=draw(currencies),
        due_at_issue={"independent": "1", "anchor": "0"}.get(model, draw(shares)),
        unused_points_share=draw(shares),
        settlement=draw(st.sampled_from(["daily", "weekly", "monthly"])),
        fees=fees,
        **({"vat": {"percent": draw(percents), "applies_to": applies_to}} if applies_to else {}),
    )


@st.composite
def coalitions(draw: st.DrawFn) -> ProgrammeFile:
    model = draw(st.sampled_from(["independent", "hybrid", "anchor"]))
    return programme(
        *[draw(contracts(party, since, model)) for party in PARTNERS for since in (FIRST, SECOND)],
        model=model,
        netting=draw(st.sampled_from(["multilateral", "bilateral", "gross"])),
        minimum_settlement=draw(st.sampled_from([{}, {"EUR": "1.00", "JPY": "300"}])),
        maximum_carry_days=draw(st.sampled_from([None, 0, 3])),
    )


partners = st.sampled_from(PARTNERS)
versions = st.sampled_from([FIRST, SECOND])
owed = st.sampled_from([code for code in Code if code not in OWED_BY_NOBODY])
totals_of_a_window = st.lists(
    st.builds(
        lambda code, sponsor, quantity, counterparty, at, counter_at, events: total(
            code, sponsor, quantity, counterparty, at=at, counter_at=counter_at, events=events
        ),
        owed,
        partners,
        st.integers(0, 5000),
        partners,
        versions,
        versions,
        st.integers(1, 5),
    ),
    max_size=15,
)
quick = settings(max_examples=settings().max_examples * 6 // 10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@quick
@given(file=coalitions(), totals=totals_of_a_window, day=st.sampled_from([MONDAY, MONTH_END]))
def test_every_line_is_sound_and_positions_add_up_to_zero(file: ProgrammeFile, totals: list[Total], day: date) -> None:
    lines = price(day, file, totals, {})
    assert positions_sum_to_zero(positions(lines)).ok
    assert list(lines) == sorted(lines, key=Obligation.order)
    for line in lines:
        assert line.debtor != line.creditor
        assert line.amount_minor >= 0
        assert (line.quantity is None) is (line.unit_price is None)
        assert (line.detail is None) is (line.kind is not LineKind.FEE)
        assert (line.events is None) is (line.sources == ())
        if line.quantity is not None and line.unit_price is not None:
            assert line.amount_minor == half_even(line.quantity * Fraction(line.unit_price) * 10 ** currency_places(line.currency))


@quick
@given(file=coalitions(), totals=totals_of_a_window, seed=st.integers(0, 2**32), day=st.sampled_from([MONDAY, MONTH_END]))
def test_batches_and_their_order_do_not_matter(file: ProgrammeFile, totals: list[Total], seed: int, day: date) -> None:
    random = Random(seed)
    batches = []
    for whole in add_up(totals):
        quantity, events = random.randint(0, whole.quantity), random.randint(0, whole.events)
        batches.append(Total(*whole.key, quantity, events))
        batches.append(Total(*whole.key, whole.quantity - quantity, whole.events - events))
    random.shuffle(batches)
    assert add_up(batches) == add_up(totals)
    assert price(day, file, batches, {}) == price(day, file, totals, {})


@quick
@given(file=coalitions(), windows=st.lists(totals_of_a_window, min_size=1, max_size=6), first=st.dates(date(2026, 3, 1), date(2026, 3, 31)))
def test_payments_and_what_is_carried_cover_every_position(file: ProgrammeFile, windows: list[list[Total]], first: date) -> None:
    carried: CarriedPositions = {}
    paid_and_owed: dict[tuple[str, PartyId], int] = {}
    for number, totals in enumerate(windows):
        day = first + timedelta(days=number)
        lines = price(day, file, totals, {})
        netting = net(day, file, lines, carried)
        assert payments_cover_positions(positions(lines), netting, carried, OPCO).ok
        assert all(payment.amount_minor > 0 and payment.payer != payment.payee for payment in netting.payments)
        assert all(waiting.amount_minor and party != OPCO for (_, party), waiting in netting.carried.items())
        assert not {(payment.currency, party) for payment in netting.payments for party in (payment.payer, payment.payee)} & netting.carried.keys()
        carried = netting.carried
        for line in lines:
            for party, sign in ((line.debtor, -1), (line.creditor, 1)):
                paid_and_owed[line.currency, party] = paid_and_owed.get((line.currency, party), 0) + sign * line.amount_minor
        for payment in netting.payments:
            for party, sign in ((payment.payer, 1), (payment.payee, -1)):
                paid_and_owed[payment.currency, party] = paid_and_owed.get((payment.currency, party), 0) + sign * payment.amount_minor
    open_minor = {account: amount_minor for account, amount_minor in paid_and_owed.items() if amount_minor and account[1] != OPCO}
    assert open_minor == {account: waiting.amount_minor for account, waiting in carried.items()}


@quick
@given(file=coalitions(), windows=st.lists(totals_of_a_window, min_size=1, max_size=4))
def test_a_months_fees_reach_the_minimum(file: ProgrammeFile, windows: list[list[Total]]) -> None:
    fees: dict[tuple[PartyId, str], int] = {}
    *before, last = windows
    for number, totals in enumerate(before):
        for key, paid_minor in fees_paid(price(MONDAY + timedelta(days=number), file, totals, {}), OPCO).items():
            fees[key] = fees.get(key, 0) + paid_minor
    lines = price(MONTH_END, file, last, fees)
    for line in lines:
        if line.kind is LineKind.FEE:
            party, sign = (line.creditor, -1) if line.debtor == OPCO else (line.debtor, 1)
            fees[party, line.currency] = fees.get((party, line.currency), 0) + sign * line.amount_minor
    for version in file.contracts:
        for fee in version.fees:
            if fee.kind == MONTHLY_MINIMUM and version.valid_from == SECOND and version.party != OPCO:
                assert fees.get((version.party, fee.currency), 0) >= fee.amount * 10 ** currency_places(fee.currency)


@quick
@given(file=coalitions(), window=totals_of_a_window, codes=st.sampled_from([(Code.ACCRUAL, Code.RETURN_UNSPENT), (Code.REDEMPTION, Code.REDEMPTION_REVERSAL)]))
def test_what_is_taken_back_in_the_same_window_leaves_nothing(file: ProgrammeFile, window: list[Total], codes: tuple[Code, Code]) -> None:
    # only one sponsor's points by one partner: several in one line are rounded together, which backwards may be several lines
    one = next(iter(window), total(codes[0], "grocer", 77, "fuelco"))
    counter_contract = FIRST if codes[0] is Code.REDEMPTION else None
    there, back = (replace(one, code=code, counter_contract=counter_contract) for code in codes)
    lines = price(MONDAY, file, [there, back], {})
    assert positions(line for line in lines if line.kind not in (LineKind.FEE, LineKind.VAT)) == {}
