"""What the night adds to an answer stands where the file has it, not behind what was given at once."""

from pathlib import Path

import pytest

from services.runtime.local import Addresses
from services.scenario.run import ScenarioResult, run_files

SCENARIO = """
scenario: order-of-effects
programme:
  programme:
    {id: harvest, name: Harvest Club, operator: {party: opco, model: independent}, timezone: Europe/Berlin, cutoff: "02:00", currencies: [EUR],
     points: {code: HVP, name: Harvest point, decimals: 0}, entry: {kind: open}, accepts_events_up_to_days: 60, claim_days: 30,
     expiry: {kind: never}, pending_days: 0, minimum_redemption: 1, spent_points_on_return: negative_balance, netting: multilateral,
     minimum_settlement: {EUR: "0.00"}}
  parties:
    - {id: opco, kind: operator, name: Harvest Operating Company}
    - {id: grocer, kind: merchant, name: Grocer, category: grocery, regions: [DE]}
  contracts:
    - {party: grocer, from: 2026-01-01, roles: [issuer], issue: {price: "0.0100", currency: EUR}}
  mechanics:
    - {id: zeal, kind: fixed_bonus, from: 2026-01-01, points: 3, each: event, limit: {times: 9, per: day, of: programme}}
    - {id: base, kind: points_on_spend, from: 2026-01-01, points: 1, per: {amount: "1.00", currency: EUR}}
    - {id: aid, kind: fixed_bonus, from: 2026-01-01, points: 2, each: event, budget: {points: 100, at_end: stop}}
    - {id: last, kind: fixed_bonus, from: 2026-01-01, points: 1, each: event}
members:
  - {id: m1, cards: [c1], enrolled: 2026-01-02, kind: consumer}
days:
  - day: 2026-03-02
    events:
      - {type: purchase, id: e1, partner: grocer, card: c1, time: "2026-03-02T10:00:00+01:00", total: "5.00"}
      - {type: return, id: r1, partner: grocer, card: c1, time: "2026-03-02T11:00:00+01:00", original_id: e1, total: "5.00", lines: [{line: 1, amount: "5.00"}]}
"""


@pytest.mark.timeout(120)
def test_effects_of_the_night_stand_in_the_order_of_the_file(tmp_path: Path, addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    (tmp_path / "order.yaml").write_text(SCENARIO, encoding="utf-8")

    (result,) = run_files([tmp_path / "order.yaml"])

    assert isinstance(result, ScenarioResult), result
    effects = {name: [(effect["mechanic"], effect["points"]) for effect in event["effects"]] for name, event in result.report["events"].items()}
    assert effects == {
        "e1": [("zeal", 3), ("base", 5), ("aid", 2), ("last", 1)],
        "r1": [("zeal", -3), ("base", -5), ("aid", -2), ("last", -1)],
    }
