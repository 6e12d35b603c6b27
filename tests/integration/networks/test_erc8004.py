"""ERC-8004: at whatever address, the last response of the validator asked is an opinion."""

import pytest

from tests.integration.networks.conftest import Follower
from tests.support.chain import Chain
from tests.support.standins import Standin

VALIDATOR, OTHER = ("0x" + digit * 40 for digit in "12")
HASH = b"h" * 32


@pytest.fixture
def registry(chain: Chain) -> Standin:
    return Standin(chain, "Validation")


def test_follow__several_registries__all_are_counted(
    chain: Chain, registry: Standin, follower: Follower
) -> None:
    second = Standin(chain, "Validation")
    for one in (registry, second):
        one.send("validationRequest", VALIDATOR, 7, "ipfs://request", HASH)
    second.send("respond", VALIDATOR, 7, HASH, 100)

    state = follower.run("erc8004", None)

    assert follower.verdicts("erc8004") == {
        ("opinion", "response 100"): 1,
        ("unchecked", "no response"): 1,
    }
    assert state.measures == {
        "agents": 2,
        "validators": 1,
        "registries": 2,
        "responses_without_request": 0,
    }


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (0, "response 0"),
        (99, "response 1 to 99"),
        (101, "response above 100, which the standard does not know"),
    ],
)
def test_follow__responded_twice__the_last_one_counts(
    registry: Standin, follower: Follower, response: int, told: str
) -> None:
    registry.send("validationRequest", VALIDATOR, 7, "", HASH)
    registry.send("respond", VALIDATOR, 7, HASH, 100)
    registry.send("respond", VALIDATOR, 7, HASH, response)

    follower.run("erc8004", None)

    assert follower.verdicts("erc8004") == {("opinion", told): 1}


def test_follow__response_of_who_was_not_asked__is_no_opinion(
    registry: Standin, follower: Follower
) -> None:
    registry.send("validationRequest", VALIDATOR, 7, "", HASH)
    registry.send("respond", OTHER, 7, HASH, 100)
    registry.send("respond", VALIDATOR, 8, HASH, 100)

    state = follower.run("erc8004", None)

    assert follower.verdicts("erc8004") == {("unchecked", "no response"): 1}
    assert state.measures["responses_without_request"] == 2


def test_follow__same_request_again_and_malformed_ones__harm_nothing(
    registry: Standin, follower: Follower
) -> None:
    for _ in range(2):
        registry.send("validationRequest", VALIDATOR, 7, "", HASH)
        registry.send("shout", VALIDATOR, 7, HASH)

    state = follower.run("erc8004", None)

    assert follower.verdicts("erc8004") == {("unchecked", "no response"): 1}
    assert state.malformed == 2
