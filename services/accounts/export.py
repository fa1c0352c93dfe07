"""The operator's ledger entries of a month: balanced, in a currency each, as CSV and as a plain-text beancount file.

Every obligation line that the operator owes or is owed is an entry. What a line for points brings is deferred first; then what has become revenue
leaves the deferred account, window by window. So the balance of that account at the month's end is the closing figure of `clh accounts revenue`, which the
beancount file asserts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any

from clearing.deferred import Account, Movement
from schemas.money import currency_places, to_text
from schemas.programme import ProgrammeFile
from services.accounts.books import Books
from services.accounts.revenue import OF_DEFERRED, WORDS, OperatorsLine, Revenue, deferred_account, is_cost
from services.report.tables import Column, Money, Row, Table, Value, figure, text
from services.report.words import in_words

OPENING = "Equity:Opening-Balances"
REVENUE = {
    Movement.REDEEMED: "Income:Points:Spent", Movement.UNUSED: "Income:Points:Unused", Movement.CAUGHT_UP: "Income:Points:Unused:Caught-Up",
    Movement.ROUNDING: "Income:Rounding",
}  # fmt: skip
DIRECT = "Income:Points:Not-Deferred"
COST = "Expenses:Redemption"


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry: above zero is a debit, below zero a credit."""

    account: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the operator's ledger: its postings add up to zero. `told` says where it comes from."""

    day: date
    words: str
    currency: str
    postings: tuple[Posting, ...]
    told: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Balance:
    """What has to stand on an account at the end of a day; below zero is a credit."""

    end: date
    account: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The entries of a month, and the balances that they lead to."""

    month: date
    entries: Sequence[Entry]
    balances: Sequence[Balance]


def ledger_of(books: Books, found: Revenue) -> Ledger:
    """The entries, by day: what was deferred at the beginning, the lines, what became revenue."""
    names = Names(books.file)
    entries = [*_opening(found, names), *_lines(books, found, names), *_revenue(found, names), *_direct(found, names)]
    balances = [Balance(found.end, names.deferred(one.account), one.account.currency, -one.closing_minor) for one in found.rolled]
    return Ledger(found.month, sorted(entries, key=lambda entry: entry.day), balances)


class Names:
    """Names of accounts: every party's own, whatever its id."""

    def __init__(self, file: ProgrammeFile) -> None:
        self._part: dict[str, str] = {}
        taken: set[str] = set()
        for party in file.parties:
            name = component(party.id)
            numbered = (f"{name}--{number}" for number in count(2))  # another party's own id may look like that
            self._part[party.id] = free = name if name not in taken else next(each for each in numbered if each not in taken)
            taken.add(free)

    def receivable(self, party: str) -> str:
        """What the party owes the operator."""
        return f"Assets:Receivable:{self._part[party]}"

    def payable(self, party: str) -> str:
        """What the operator owes the party."""
        return f"Liabilities:Payable:{self._part[party]}"

    def deferred(self, account: Account) -> str:
        """Deferred revenue from a sponsor's contract version."""
        return f"Liabilities:Deferred-Revenue:{self._part[account.sponsor]}:From-{account.contract}"


def component(text: str) -> str:
    """A part of an account's name as beancount wants it: a capital letter or digit first, then letters, digits and dashes."""
    words = re.sub(r"[^A-Za-z0-9-]+", "-", text)
    return words[:1].upper() + words[1:] if re.match(r"[A-Za-z0-9]", words) else f"X{words}"


def entry(day: date, words: str, currency: str, debit: str, credit: str, amount_minor: int, **told: object) -> Entry:
    """So much from one account to another; a negative amount the other way."""
    postings = (Posting(debit, amount_minor), Posting(credit, -amount_minor))
    return Entry(
        day, words, currency, postings if amount_minor >= 0 else postings[::-1], {name: str(value) for name, value in told.items() if value is not None}
    )


def _opening(found: Revenue, names: Names) -> Iterator[Entry]:
    for one in found.rolled:
        if one.opening_minor:
            account = one.account
            yield entry(found.month, f"deferred at the beginning, {account.sponsor}", account.currency, OPENING, names.deferred(account), one.opening_minor)


def _lines(books: Books, found: Revenue, names: Names) -> Iterator[Entry]:
    operator = books.terms.operator
    for line in (line for line in found.lines if line.amount_minor):
        other = _other_side(books, line, names)
        debit, credit = (names.receivable(line.debtor), other) if line.creditor == operator else (other, names.payable(line.creditor))
        party = line.debtor if line.creditor == operator else line.creditor
        words = f"{in_words(line.kind, line.detail)}, {party}"
        told = {"window": line.day, "line": line.line, "kind": line.kind, "party": party, "contract": line.contract}
        yield entry(line.day, words, line.currency, debit, credit, line.amount_minor, **told)


def _other_side(books: Books, line: OperatorsLine, names: Names) -> str:
    """What a line is for: deferred revenue, the cost of redemption, tax, or income and expenses by its kind, where what comes back is less of the same."""
    account = deferred_account(books, line)
    if account is not None:
        return names.deferred(account)
    if line.kind in ("issue", "issue_reversal"):  # the operator as sponsor, whose spent points somebody else bears
        return DIRECT
    if is_cost(books, line):
        return COST
    if line.kind == "vat":
        return "Liabilities:Vat"
    if line.kind == "fee":
        return "Income:Fees"
    expense = (line.debtor == books.terms.operator) != line.kind.endswith("_reversal")
    kind = "-".join(word.title() for word in line.kind.removesuffix("_reversal").split("_"))
    return f"{'Expenses' if expense else 'Income'}:{kind}"


def _revenue(found: Revenue, names: Names) -> Iterator[Entry]:
    for moved in (moved for one in found.rolled for moved in one.moved if moved.movement not in OF_DEFERRED):
        account = moved.account
        told = {"window": moved.day, "movement": moved.movement.value, "party": account.sponsor, "contract": account.contract, "points": moved.points}
        words = f"{WORDS[moved.movement]}, {account.sponsor}"
        yield entry(moved.day, words, account.currency, names.deferred(account), REVENUE[moved.movement], -moved.amount_minor, **told)


def _direct(found: Revenue, names: Names) -> Iterator[Entry]:
    for (day, account), amount_minor in found.direct.items():
        words = f"billed for points and not deferred, {account.sponsor}"
        told = {"window": day, "movement": "direct", "party": account.sponsor, "contract": account.contract}
        yield entry(day, words, account.currency, names.deferred(account), DIRECT, amount_minor, **told)


def table(ledger: Ledger) -> Table:
    """One row for each posting; the rows of an entry share its number."""
    told = ("window", "kind", "line", "movement", "party", "contract")
    columns: tuple[Column, ...] = (
        figure("entry"), text("day"), text("words"), text("account"), figure("debit"), figure("credit"), text("currency"), *(text(name) for name in told),
    )  # fmt: skip
    rows = []
    for no, one in enumerate(ledger.entries, 1):
        for posting in one.postings:
            money = Money(abs(posting.amount_minor), currency_places(one.currency))
            sides: tuple[Value, Value] = (money, None) if posting.amount_minor > 0 else (None, money)
            rows.append(Row((no, one.day, one.words, posting.account, *sides, one.currency, *(one.told.get(name) for name in told))))
    return Table("ledger", f"Ledger entries of {ledger.month:%Y-%m}", columns, tuple(rows))


def as_json(ledger: Ledger, programme: str) -> dict[str, Any]:
    """The same as plain values: each entry with its postings, a debit above zero, and what the deferred accounts come to."""
    entries = [
        {"entry": no, "day": one.day, "words": one.words, "currency": one.currency,
         "postings": [{"account": posting.account, "amount_minor": posting.amount_minor} for posting in one.postings], "from": one.told}
        for no, one in enumerate(ledger.entries, 1)
    ]  # fmt: skip
    return {"programme": programme, "month": f"{ledger.month:%Y-%m}", "entries": entries, "balances": [asdict(balance) for balance in ledger.balances]}


def beancount(ledger: Ledger, title: str) -> str:
    """The same as a beancount file, with what has to stand on the deferred accounts after the month's last window."""
    lines = [f"option {_quoted('title')} {_quoted(title)}"]
    lines += [f"option {_quoted('operating_currency')} {_quoted(currency)}" for currency in sorted({one.currency for one in ledger.entries})]
    lines += ["", *(f"{ledger.month} open {account}" for account in _accounts(ledger)), ""]
    for one in ledger.entries:
        lines.append(f"{one.day} * {_quoted(one.words)}")
        lines += [f"  {name}: {_quoted(value)}" for name, value in one.told.items()]
        lines += [f"  {posting.account}  {to_text(posting.amount_minor, one.currency)} {one.currency}" for posting in one.postings]
        lines.append("")
    for balance in ledger.balances:
        amount = f"{to_text(balance.amount_minor, balance.currency)} {balance.currency}"
        lines.append(f"{balance.end + timedelta(days=1)} balance {balance.account}  {amount}")  # it holds at the beginning of its day
    return "\n".join(lines) + "\n"


def _accounts(ledger: Ledger) -> list[str]:
    posted: Iterable[str] = (posting.account for one in ledger.entries for posting in one.postings)
    return sorted({*posted, *(balance.account for balance in ledger.balances)})


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
