"""Claimed-only networks: each claim once, none verified, each with its own unit."""

import pytest

from tallystick.networks.registered import adapter
from tests.integration.networks.conftest import Follower
from tests.support.chain import Chain
from tests.support.standins import Standin

TOPICS = {
    "morpheus": "2bd7c890",
    "ora": "b7b41355",
    "eternal-ai": "9f669b92",
    "dria": "6c809136",
    "verathos": "ef5edd8c",
    "boundless": "120ea8d7",
    "iexec": "78ce8a8b",
    "virtuals": "50e4abf1",
}
"""First bytes of the events' topics, as published."""


@pytest.mark.parametrize("name", TOPICS)
def test_follow__claimed_twice__counts_once_and_is_unchecked(
    chain: Chain, follower: Follower, name: str
) -> None:
    contract = Standin(chain, "Claims")
    for number in (1, 2, 2):
        contract.send("claim", number)

    state = follower.run(name, contract)

    # A checkpoint has no number of its own.
    claims = 3 if name == "verathos" else 2
    assert follower.verdicts(name) == {("unchecked", ""): claims}
    assert state.measures.get("claimed_again", 0) == 3 - claims


@pytest.mark.parametrize("name", TOPICS)
def test_adapter__event__has_the_published_topic(name: str) -> None:
    (kind,) = adapter(name).kinds

    assert kind.events[0].topic0.hex()[:8] == TOPICS[name]
