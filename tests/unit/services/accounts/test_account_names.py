"""Every party has ledger accounts of its own, whatever the ids of others look like."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.export import Names

IDS = st.lists(st.text(alphabet="aA.-_2", min_size=1, max_size=7), min_size=2, max_size=8, unique=True)


def accounts(ids: list[str]) -> list[str]:
    file: Any = SimpleNamespace(parties=[SimpleNamespace(id=party) for party in ids])
    names = Names(file)
    return [names.receivable(party).removeprefix("Assets:Receivable:") for party in ids]


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (["grocer", "fuelco"], ["Grocer", "Fuelco"]),
        (["a-b", "a.b", "a_b"], ["A-b", "A-b--2", "A-b--3"]),
        (["a-b--2", "a-b", "a.b"], ["A-b--2", "A-b", "A-b--3"]),
        (["shop--2", "shop", "Shop"], ["Shop--2", "Shop", "Shop--3"]),
        (["shop", "Shop", "shop--2"], ["Shop", "Shop--2", "Shop--2--2"]),
    ],
)
def test_a_name_that_another_party_has_is_not_taken(ids: list[str], told: list[str]) -> None:
    assert accounts(ids) == told


@given(IDS)
def test_no_two_parties_share_an_account(ids: list[str]) -> None:
    assert len(set(accounts(ids))) == len(ids)
