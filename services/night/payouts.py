"""The night's last booking: what members earned of cash-back, and what of it is now to be paid. Set-based; in the transaction that closes the window."""

from __future__ import annotations

from datetime import date
from typing import Final

import psycopg

from clearing.entries import Code
from clearing.payouts import payout_terms
from schemas.programme import ProgrammeFile

# Adds what the window gave and took back to what each member has from each payer.
EARN: Final = """
insert into cash_back_account as a (member, mechanic, payer, unit, earned, card)
select t.member, t.mechanic, t.counterparty, t.unit, sum(case t.code when %(earned)s then t.amount else -t.amount end),
  (array_agg(e.body::jsonb #>> '{data,card_token}' order by e.received_at desc, e.record desc))[1]
from transfer t join mechanic m on m.no = t.mechanic join entry e on e.record = t.entry
where t.day = %(day)s and t.code in (%(earned)s, %(reversed)s) and m.id = any(%(mechanics)s)
group by t.member, t.mechanic, t.counterparty, t.unit
on conflict (member, mechanic, payer, unit) do update set earned = a.earned + excluded.earned, card = excluded.card
"""
# Pays all that a member has, where it comes to the least that is paid; a least sum is one in the programme's first currency.
PAY: Final = """
with due as (
  select a.member, a.mechanic, a.payer, a.unit, a.earned - a.paid amount, a.card
  from unnest(%(due)s::text[], %(leasts)s::bigint[]) d (id, least) join mechanic m on m.id = d.id join cash_back_account a on a.mechanic = m.no
  join unit u on u.no = a.unit
  where a.earned > a.paid and a.earned - a.paid >= case u.id when %(currency)s then d.least else 1 end
), told as (
  insert into cash_back_payout (day, member, mechanic, payer, unit, amount, card)
  select %(day)s, member, mechanic, payer, unit, amount, card from due order by member, mechanic, payer, unit
)
update cash_back_account a set paid = a.paid + d.amount from due d
where (a.member, a.mechanic, a.payer, a.unit) = (d.member, d.mechanic, d.payer, d.unit)
"""


def pay_cash_back(connection: psycopg.Connection, file: ProgrammeFile, day: date) -> int:
    """Enters what the window gave, and tells payers what to pay by the terms of its day. Returns how many payouts that are.

    Runs in the caller's transaction, once for a window: the caller closes it in the same.
    """
    terms = payout_terms(file, day)
    if not terms:
        return 0
    asked = {"day": day, "earned": int(Code.CASH_BACK), "reversed": int(Code.CASH_BACK_REVERSAL), "mechanics": [one.mechanic for one in terms]}
    connection.execute(EARN, asked)
    due = [one for one in terms if one.due]
    asked = {
        "day": day, "due": [one.mechanic for one in due], "leasts": [one.least_minor for one in due], "currency": file.programme.currencies[0],
    }  # fmt: skip
    return connection.execute(PAY, asked).rowcount if due else 0
