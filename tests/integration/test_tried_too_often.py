"""A payment that the bank has refused so often that it has no further id: the others go, and it is made by hand, under its last id."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearing.payment_states import ATTEMPTS_MAX, Verdict
from services.bank.errors import BankCode, BankError
from services.runtime.local import Addresses
from services.settlement.deciding import keep, to_decide
from services.settlement.findings import findings
from services.settlement.readdressing import to_readdress
from services.settlement.verify import verify_settlement
from tests.bank_messages import status_line
from tests.integration.test_paying_accounts import CAFE, OTHER, apply
from tests.paying import AtTheBank, approved, at_the_bank
from tests.signers import MONDAY


def refuse(one: AtTheBank, party: str) -> None:
    last = one.standings()[party].attempts[-1]
    one.take(one.status(status_line(last.end_to_end_id, "RJCT", "AC04"), file=last.message_id))


def test_the_others_go_and_the_one_is_made_by_hand_under_its_last_id(addresses: Addresses, tmp_path: Path) -> None:
    with approved(addresses) as signers, at_the_bank(signers, tmp_path / "out") as one:
        one.pay()
        for _ in range(ATTEMPTS_MAX - 1):
            refuse(one, "cafe")
            one.pay(corrected=True)
        refuse(one, "cafe")
        refuse(one, "fuelco")
        assert len(one.pay(corrected=True).handed_over) == 1
        assert (len(one.standings()["fuelco"].attempts), len(one.standings()["cafe"].attempts)) == (2, ATTEMPTS_MAX)
        with pytest.raises(BankError) as told:
            one.pay(corrected=True)
        last = one.standings()["cafe"].attempts[-1].end_to_end_id
        assert told.value.code is BankCode.TOO_MANY_ATTEMPTS
        assert f"make it by hand at the bank, with the EndToEndId {last}" in str(told.value)
        apply(one.books, CAFE, OTHER)
        with pytest.raises(BankError) as of_account:
            to_readdress(one.books, one.programme, one.standings()["cafe"].id, OTHER, "closed", "mia", one.now)
        assert of_account.value.code is BankCode.TOO_MANY_ATTEMPTS
        one.take(one.statement(one.debit("cafe"), one.debit("fuelco"), one.credit("grocer")))
        assert one.match().settled == [MONDAY]
        said = to_decide(one.books, one.programme, last, Verdict.PAID, "made by hand", "mia", one.now)
        assert keep(one.books, said, signers.keys["mia"].sign(said.signed()))
        assert findings(one.books, one.now) == []
        assert [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []
