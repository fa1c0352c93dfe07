"""Names of accounts: `member m-900: available`, `grocer: issued (points)`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.explain import statements as sql
from services.explain.ledger import Ledger
from services.journal.accounts import MEMBER_NAMES, ROLE_NAMES


class AccountNames:
    """The names of the accounts in some rows of the journal (a debited and a credited account at the places 5 and 6, the member at 7)."""

    def __init__(self, ledger: Ledger, rows: Iterable[Sequence[Any]]) -> None:
        self._ledger = ledger
        numbers = sorted({row[7] for row in rows if row[7] is not None})
        self._members: dict[int, str] = dict(ledger.connection.execute(sql.MEMBER_IDS, (numbers,)).fetchall())

    def member_id(self, number: int | None) -> str | None:
        """A member's id; asked of the books where no row named it."""
        if number is None:
            return None
        if number not in self._members:
            self._members.update(self._ledger.connection.execute(sql.MEMBER_IDS, ([number],)).fetchall())
        return self._members[number]

    def name_of(self, account: int) -> str:
        """An account in words (services/journal/accounts.py says how they are numbered)."""
        if account >= 0:
            member, part = divmod(account, len(MEMBER_NAMES))
            return f"member {self.member_id(member)}: {MEMBER_NAMES[part]}"
        rest, unit = divmod(-account, 256)
        party, role = divmod(rest, 16)
        return f"{self._ledger.names.party_id[party]}: {ROLE_NAMES[role]} ({self._ledger.names.unit_id[unit]})"
