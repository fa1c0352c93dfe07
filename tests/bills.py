"""Amounts that parties of a test owe each other for no reason of the house's: the owner of the books answers for them."""

from __future__ import annotations

from tests.coalition import Coalition

VOUCHED = "insert into by_name select 'corrected', no from correction on conflict do nothing"


def vouch(one: Coalition) -> None:
    """The owner of the books answers for every correction that is there."""
    with one.books(owner=True) as owner:
        owner.execute(VOUCHED)
