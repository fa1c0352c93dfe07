"""What the night decides is decided in order of receipt, returns among purchases.

Why so: a return of a purchase that the night has still to decide is taken back at its own place, and the room that comes back with a return is
there for what was received after it. So both wait for the night beside the purchases. Returns of purchases that wait already are added here; what
the old code books until it is stopped stays right but for that order.
"""

import json

from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = "alter table deferred add column sale bigint, add column room jsonb"
# Accepted returns and adjustments by members whose purchases wait, received or booked in the same window.
RETURNS = """
select r.record, d.day, r.received_at, d.record, r.body, s.uri, p.id
from deferred d
join entry p on p.record = d.record
join source s on s.no = p.source
join entry r on r.member = p.member and r.booked = d.day and r.outcome = 'accepted' and r.type in ('return.v1', 'price-adjustment.v1')
"""
ADD = "insert into deferred (record, day, received_at, sale) values (%s, %s, %s, %s) on conflict do nothing"


def upgrade() -> None:
    """Adds the purchase that a return is of, and the room that it brings back."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(COLUMNS)
    with driver.cursor() as cursor:
        for record, day, received_at, sale, body, source, event_id in driver.execute(RETURNS).fetchall():
            event = json.loads(body)
            named = event["data"].get("original_source") or event["source"], event["data"]["original_id"]
            if named == (source, event_id):
                cursor.execute(ADD, (record, day, received_at, sale))
