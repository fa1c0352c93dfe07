"""Whose an answer is."""

import pytest

from services.events.answers import Answered


@pytest.mark.parametrize(("event", "shown"), [(("/partners/grocer", "e1"), True), (("/partners/fuelco", "e1"), False), (None, False)])
def test_a_malformed_event_that_claims_its_id_is_shown_to_its_sender_alone(event: tuple[str, str] | None, shown: bool) -> None:
    told = {"source": event[0], "id": event[1]} if event else None
    refused = Answered("r1", "rejected", event, ("t", 0, 7), {"data": {"event": told, "code": "malformed", "pointer": "/data/store"}})
    assert refused.concerns("grocer") is shown
