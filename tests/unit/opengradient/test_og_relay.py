"""relay.py: the events as OpenGradient's relay has them, and the stand-in's are the same."""

import pytest

from tallystick.chain.abi import signature_hash
from tallystick.data.decode.columns import Layout
from tallystick.opengradient.registry import CHANGES
from tallystick.opengradient.relay import BATCH, INDIVIDUAL, SETTLEMENTS
from tests.support.builds import abi

TOPICS = {
    BATCH.name: "c2aff8d8a10a4543baabf39bd9ff45e7fc3881d19098df350a3b7f339e911127",
    INDIVIDUAL.name: "74e71a1981c03bd0c36f3b1227f3ee2a34dca5d6fef25c4b2787e033ab60b782",
}
SELECTORS = {"batchSettle": "1b243ae6", "settleIndividual": "90480ad1"}


@pytest.mark.parametrize("event", SETTLEMENTS, ids=lambda event: event.name)
def test_settlements__topics__are_the_relays(event: Layout) -> None:
    assert event.topic0.hex() == TOPICS[event.name]


@pytest.mark.parametrize("name", SELECTORS)
def test_stand_in__selectors__are_the_relays(name: str) -> None:
    (entry,) = (entry for entry in abi("MockSettlementRelay") if entry.get("name") == name)

    assert signature_hash(entry)[:4].hex() == SELECTORS[name]


@pytest.mark.parametrize(
    ("contract", "events"), [("MockSettlementRelay", SETTLEMENTS), ("MockTeeRegistry", CHANGES)]
)
def test_stand_in__events__are_the_layouts(contract: str, events: tuple[Layout, ...]) -> None:
    entries = {entry["name"]: entry for entry in abi(contract) if entry["type"] == "event"}
    for event in events:
        entry = entries[event.name]
        assert signature_hash(entry) == event.topic0
        topics = [field.topic for field in event.fields if field.topic is not None]
        assert topics == [place for place, part in enumerate(entry["inputs"], 1) if part["indexed"]]
        assert event.words == len(entry["inputs"]) - len(topics)
