"""The application role can move a window only as the table of moves says, whatever code runs under it."""

from __future__ import annotations

from itertools import product

import psycopg
import pytest

from clearing.window import TRANSITIONS, State
from services.journal.migrations.versions.m0015_moves_of_windows import MOVES
from services.runtime.local import Addresses
from tests.coalition import coalition
from tests.signers import MONDAY

SET = "update settlement_window set state = %s where day = %s"


def test_the_database_knows_the_moves_of_the_policy_and_no_other() -> None:
    assert {(before.value, after.value) for (before, _), after in TRANSITIONS.items()} == set(MOVES)


def test_the_application_can_set_no_window_where_the_table_has_no_move(addresses: Addresses) -> None:
    with coalition(addresses, day=MONDAY) as one, one.books(owner=True) as owner, one.books() as books:
        owner.execute("alter table settlement_window disable trigger all")
        owner.execute("alter table settlement_window enable trigger moves_by_the_table")
        for before, after in product(State, State):
            owner.execute(SET, (before.value, MONDAY))
            if before is after or (before.value, after.value) in MOVES:
                books.execute(SET, (after.value, MONDAY))
                continue
            with pytest.raises(psycopg.errors.RestrictViolation, match="there is no move"):
                books.execute(SET, (after.value, MONDAY))
