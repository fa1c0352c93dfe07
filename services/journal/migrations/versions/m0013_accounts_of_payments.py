"""The accounts between which a payment is made, as the programme had them when it was approved.

Why so: the programme can be applied anew after people have approved; what they approved is paid to the account that the payee had then, or not at all.
Old code stores none, and rows of before have none: those are paid by the programme in force, as they were.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

ACCOUNTS = """
alter table payment add column payer_iban text, add column payee_iban text,  -- null: approved before this version; empty: the party had no account
  add check ((payer_iban is null) = (payee_iban is null))
"""


def upgrade() -> None:
    """Adds two columns to a table that is only appended to; no row is changed."""
    op.execute(ACCOUNTS)
