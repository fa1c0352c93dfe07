"""How `clh recon` shows breaks to people: amounts in their own unit, both rows side by side, and what is about to be signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.money import is_currency, to_text
from services.cli.output import heading, print_table, say
from services.recon.fields import UNIT_OF

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clearing.decisions import Charge, Decision
    from services.recon.fields import FieldPair
    from services.recon.report import ReconReport
    from services.recon.showing import Shown

WORDS: Final = {
    "bank_txn_id": "transaction", "event_type": "event", "original_bank_txn_id": "original transaction", "card_ref": "card", "rrn": "retrieval reference",
    "auth_code": "authorisation code", "arn": "acquirer reference", "mcc": "merchant category", "acceptor_id": "acceptor", "transacted_at": "made at",
    "posting_date": "posted on", "billing_minor": "billed", "reward_kind": "reward", "reward_units": "amount of it", "rule_id": "rule",
    "rule_version": "version of the rule", "cap_bucket": "limit", "cap_cut_units": "cut off by it", "bank_funded": "funded by the bank",
    "merchant_funded": "by merchants", "network_funded": "by the network", "settlement_ref": "settlement reference", "txn_minor": "paid in the shop",
    "fx_rate": "rate", "eligible_minor": "of it eligible", "exclusion_code": "excluded because",
}  # fmt: skip
_HOW: Final = {"write-off": "written off", "forced-match": "matched by force", "create": "created in the house"}


def amount(units: int | None, unit: str, kind: str = "") -> str:
    """Units with what they are of: money in its own decimals, points whole. Nothing where there is no figure."""
    if units is None:
        return ""
    written = to_text(units, unit) if kind != "POINTS" and is_currency(unit) else f"{units:,}"
    return f"{written} {unit}".strip()


def break_table(found: Sequence[dict[str, Any]], as_of: date) -> None:
    """Breaks, one line each, with their age in days as of a day; what a narrow terminal has no room for is in `clh recon show`."""
    figures = ("no", "house", "bank's", "difference", "days")
    columns = ("no", "code", "house", "bank's", "difference", "state", "days", "transaction", "owner", "event", "day", "of")
    rows = [
        (one["no"], one["code"], amount(one["programme_units"], one["programme_unit"], one["reward_kind"]),
         amount(one["bank_units"], one["bank_unit"], one["reward_kind"]), difference(one), one["state"], one["age_days"], one["bank_txn_id"], one["owner"],
         one["event_type"], one["day"], one["bank"])
        for one in found
    ]  # fmt: skip
    print_table(columns, rows, title=f"Breaks, days as of {as_of}", right=figures, optional=columns[6:], empty="No break.")


def difference(one: dict[str, Any]) -> str:
    """What the bank has more; two currencies have no difference."""
    return "two units" if one["diff_units"] is None else amount(one["diff_units"], one["unit"], one["reward_kind"])


def _apart(one: dict[str, Any]) -> str:
    if one["diff_units"] is None:
        return "amounts in two units are not taken from each other"
    if one["diff_units"] == 0:
        return "the two amounts are the same"
    return f"the bank has {amount(abs(one['diff_units']), one['unit'], one['reward_kind'])} {'more' if one['diff_units'] > 0 else 'less'}"


def show(shown: Shown, as_of: date) -> None:
    """A break in full, with its age as of a day."""
    one = shown.found
    heading(f"Break {one['no']}: {one['code']}")
    say(
        f"{one['bank']}, business day {one['day']}, {one['age_days']} days old as of {as_of}. "
        f"It is {one['state']}{', with ' + one['owner'] if one['owner'] else ''}."
    )
    apart = _apart(one)
    ours, theirs = (amount(one[f"{side}_units"], one[f"{side}_unit"], one["reward_kind"]) for side in ("programme", "bank"))
    say(f"House {ours}, bank {theirs}: {apart}.")
    where = f"Both rows; the bank's is line {one['line']} of file {one['file_id']}" if one["file_id"] else "The house's row; the bank has reported none"
    show_fields(shown.fields, title=where)
    history = [(turn["no"], turn["at"].isoformat(timespec="seconds"), turn["who"], turn["to_state"], turn["note"]) for turn in shown.turns]
    print_table(("turn", "at", "by", "state", "note"), history, title="History", right=("turn",), empty="Nobody has taken it up yet.")
    for made in shown.booked:
        say(f"Booked: {_charge(made['debtor'], made['creditor'], made['amount_minor'], made['currency'])}.")
    if shown.proposal is not None:
        said = shown.proposal
        at, sha256 = said["at"].isoformat(timespec="seconds"), said["sha256"]
        say(f"{said['person']} proposed at {at} that it be {_HOW[said['decision']]}, and signed (SHA-256 {sha256}):")
        say(f"  {said['document']}", whole=True)
    for each in shown.decidable:
        who = "The second person signs that it is" if shown.proposal is not None else "It could be proposed that it be"
        say(f"{who} {_HOW[each.decision]}; that books: {_charges(each.charges)}.")
    if shown.proposal is not None:
        say(f"next: clh recon resolve {one['no']} {one['proposal']} --note TEXT --as NAME --key FILE, or withdraw")


def show_fields(fields: Sequence[FieldPair], *, title: str) -> None:
    """Both rows, field by field. A field that only one side tells is no difference."""
    units = {each.name: (each.house, each.bank) for each in fields}
    rows = []
    for each in fields:
        if each.name in WORDS:
            own, other = units.get(UNIT_OF.get(each.name, ""), (None, None))
            house, bank = _value(each.name, each.house, own or other, units), _value(each.name, each.bank, other or own, units)
            rows.append((WORDS[each.name], house, bank, "yes" if each.differs else ""))
    print_table(("field", "house", "bank", "differs"), rows, title=title)


def show_to_sign(said: Decision, fields: Sequence[FieldPair]) -> str:
    """What a signature is about to say, as a sentence."""
    what = f"proposal that break {said.no} be" if said.says.value == "propose" else f"decision that break {said.no} is"
    return f"{said.person} signs the {what} {_HOW[said.decision]}: {_sides(said, fields)}. It books: {_charges(said.charges)}. Reason: {said.note}"


def _sides(said: Decision, fields: Sequence[FieldPair]) -> str:
    unit, kind = (next((each for each in fields if each.name == name), None) for name in ("reward_ccy", "reward_kind"))
    what = (kind.house or kind.bank or "") if kind else ""
    ours, theirs = (unit.house or unit.bank, unit.bank or unit.house) if unit else (None, None)
    return f"{said.code}, house {amount(said.programme_units, ours or said.unit, what)}, bank {amount(said.bank_units, theirs or said.unit, what)}"


def _value(name: str, text: str | None, unit: str | None, units: dict[str, tuple[str | None, str | None]]) -> str:
    if text is None:
        return ""
    if name == "transacted_at":
        return text.replace("T", " ")  # so that a narrow terminal can wrap it
    if name not in UNIT_OF or unit is None:
        return text
    kinds = units.get("reward_kind", (None, None)) if UNIT_OF[name] == "reward_ccy" else (None, None)
    return amount(int(text), unit, kinds[0] or kinds[1] or "")


def _charges(charges: Sequence[Charge]) -> str:
    return ", ".join(_charge(each.debtor, each.creditor, each.amount_minor, each.currency) for each in charges) or "nothing"


def _charge(debtor: str, creditor: str, minor: int, currency: str) -> str:
    return f"{debtor} owes {creditor} {amount(minor, currency)}"


def show_report(made: ReconReport) -> None:
    """A bank and a day: what is matched and broken, both sums, and what makes the difference."""
    rows = [("matched", made.matched), ("proposed", made.proposed), *((f"broken: {code}", number) for code, number in sorted(made.broken.items()))]
    print_table(("rows", "number"), [(name, f"{number:,}") for name, number in rows], title=f"{made.bank}, {made.day}", right=("number",))
    show_sums(made)
    ages = [(row["days"], row["seen"], row["business"]) for row in made.ages]
    columns = ("days", "since seen", "since the business day")
    print_table(columns, ages, title=f"Open breaks by age, as of {made.as_of}", right=columns[1:], empty="No break is open.")


def show_sums(made: ReconReport) -> None:
    """Both sums of each reward and unit, and the causes that add up to their difference."""
    figures = ("house", "bank's", "difference")
    sums = [(row["kind"].lower(), *_figures(row)) for row in made.sums if row["kind"]]
    print_table(("reward", *figures), sums, title="Sums", right=figures, empty="No reward was given or reported.")
    caused = [(row["code"] or row["what"], row["kind"].lower() or "none", *_figures(row), row["state"]) for row in made.causes]
    print_table(
        ("cause", "reward", *figures, "state"), caused, title="How they differ", right=figures, optional=("state",), empty="The two sums do not differ."
    )


def _figures(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(amount(row[name], row["unit"], row["kind"]) for name in ("programme_units", "bank_units", "diff_units"))
