"""registerNetwork, admit, close, registerModel

├── refused: windows out of range, asset without code, arbiter without bond, parent unknown,
│   registered already, caller not the owner, model or its parent unknown
└── registered: ids are the hashes of what they name
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.chain.deploy import create2_address, deployment
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.events import (
    ModelRegistered,
    NetworkRegistered,
    OperatorAdmitted,
    OperatorClosed,
)
from tallystick.protocol.rules import Rules, model_id, network_id
from tests.support.chain import Chain, reverts
from tests.support.story import RULES, Network, register

YEAR = 365 * 24 * 3600


@pytest.mark.parametrize(
    "windows",
    [
        {"response_window": 0},
        {"ruling_window": 0},
        {"challenge_window": 0, "response_window": 0},
        {"challenge_window": 1, "response_window": 1},
        {"challenge_window": YEAR + 1},
        {"ruling_window": YEAR + 1},
        {"challenge_window": 100, "response_window": 51},
        {"challenge_window": 101, "response_window": 51},
    ],
)
def test_register_network__windows_out_of_range__reverts(
    chain: Chain, network_owner: bytes, windows: dict[str, Any]
) -> None:
    rules = replace(RULES, **windows)
    with reverts(
        "WindowsOutOfRange",
        challengeWindow=rules.challenge_window,
        responseWindow=rules.response_window,
        rulingWindow=rules.ruling_window,
    ):
        register(chain, network_owner, **windows)


@pytest.mark.parametrize(
    "windows",
    [
        {"challenge_window": YEAR, "ruling_window": YEAR, "response_window": YEAR // 2},
        {"challenge_window": 2, "ruling_window": 1, "response_window": 1},
        {"challenge_window": 101, "response_window": 50},
    ],
)
def test_register_network__windows_at_their_bounds__registers(
    chain: Chain, network_owner: bytes, windows: dict[str, Any]
) -> None:
    network = register(chain, network_owner, **windows)

    assert chain.registry.rules(network.id) == network.rules


def test_register_network__asset_without_code__reverts(
    chain: Chain, network_owner: bytes, stranger: bytes
) -> None:
    with reverts("AssetWithoutCode", asset=stranger):
        register(chain, network_owner, asset=stranger)


def test_register_network__asset_with_the_least_code__registers(
    chain: Chain, network_owner: bytes
) -> None:
    code = bytes.fromhex("600160005360016000f3")  # returns one byte: ADD
    chain.send_call(network_owner, deployment(code))

    network = register(chain, network_owner, asset=create2_address(code))

    assert chain.registry.rules(network.id) == network.rules


def test_register_network__arbiter_without_bond__reverts(
    chain: Chain, network_owner: bytes, resolver: bytes
) -> None:
    with reverts("ChallengeBondZero"):
        register(chain, network_owner, arbiter=resolver, challenge_bond=0)


def test_register_network__unknown_parent__reverts(chain: Chain, network_owner: bytes) -> None:
    with reverts("NetworkNotFound", networkId=b"p" * 32):
        chain.send(network_owner, "registerNetwork", ZERO32, RULES.abi(), b"p" * 32, "name", "uri")


def test_register_network__known_parent__emits_it(
    chain: Chain, network: Network, stranger: bytes
) -> None:
    mined = chain.send(stranger, "registerNetwork", ZERO32, RULES.abi(), network.id, "name", "uri")

    assert mined.event(NetworkRegistered).parent == network.id


def test_register_network__twice__reverts(chain: Chain, network_owner: bytes) -> None:
    network = register(chain, network_owner)

    with reverts("NetworkExists", networkId=network.id):
        register(chain, network_owner)


def test_register_network__emits_all_that_hashes_to_its_id(
    chain: Chain, network_owner: bytes
) -> None:
    rules = replace(RULES, solicited=True, max_bytes=7)

    event = chain.send(
        network_owner, "registerNetwork", b"s" * 32, rules.abi(), ZERO32, "name", "uri"
    ).event(NetworkRegistered)

    assert (event.owner, event.salt, event.rules) == (network_owner, b"s" * 32, rules)
    assert (event.name, event.uri) == ("name", "uri")
    domain = chain.registry.domain
    assert event.network_id == network_id(
        domain.chain_id, domain.contract, network_owner, b"s" * 32, rules
    )
    assert bytes.fromhex(chain.registry.read("ownerOf", event.network_id)[2:]) == network_owner


amounts = st.integers(0, 2**96 - 1)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    salt=st.binary(min_size=32, max_size=32),
    amount=amounts,
    bond=amounts,
    demand=amounts,
    max_bytes=st.integers(0, 90_000),
    window=st.integers(2, YEAR),
    is_permissionless=st.booleans(),
    solicited=st.booleans(),
    attestors=st.tuples(*[st.binary(min_size=20, max_size=20)] * 3),
)
def test_register_network__any_rules__are_kept_and_hash_to_the_id(
    chain: Chain,
    network_owner: bytes,
    salt: bytes,
    amount: int,
    bond: int,
    demand: int,
    max_bytes: int,
    window: int,
    is_permissionless: bool,
    solicited: bool,
    attestors: tuple[bytes, bytes, bytes],
) -> None:
    rules = Rules(
        attestors=attestors,
        stake_per_inference=amount,
        challenge_bond=bond,
        demand_bond=demand,
        max_bytes=max_bytes,
        challenge_window=window,
        response_window=window // 2,
        ruling_window=window,
        permissionless=is_permissionless,
        solicited=solicited,
    )

    with chain.isolated():
        network = register(chain, network_owner, rules, salt=int.from_bytes(salt, "big"))

        domain = chain.registry.domain
        ours = network_id(domain.chain_id, domain.contract, network_owner, salt, rules)
        assert network.id == ours
        assert chain.registry.rules(network.id) == rules


@pytest.mark.parametrize("action", ["admit", "close"])
def test_admit_and_close__by_a_stranger__reverts(
    chain: Chain, network: Network, operator: bytes, stranger: bytes, action: str
) -> None:
    with reverts("NotNetworkOwner", networkId=network.id, caller=stranger):
        chain.send(stranger, action, network.id, operator)


@pytest.mark.parametrize("action", ["admit", "close"])
def test_admit_and_close__unknown_network__reverts(
    chain: Chain, operator: bytes, action: str
) -> None:
    with reverts("NetworkNotFound"):
        chain.send(operator, action, b"n" * 32, operator)


@pytest.mark.parametrize(
    ("action", "kind"), [("admit", OperatorAdmitted), ("close", OperatorClosed)]
)
def test_admit_and_close__are_told(
    chain: Chain,
    network: Network,
    network_owner: bytes,
    stranger: bytes,
    action: str,
    kind: type[Any],
) -> None:
    event = chain.send(network_owner, action, network.id, stranger).event(kind)

    assert (event.network_id, event.operator) == (network.id, stranger)


def test_admit__closed_lane__opens_it_again(
    chain: Chain, network: Network, network_owner: bytes, operator: bytes
) -> None:
    chain.send(network_owner, "close", network.id, operator)
    assert network.lane(operator).closed

    chain.send(network_owner, "admit", network.id, operator)

    lane = network.lane(operator)
    assert (lane.admitted, lane.closed) == (True, False)


def test_register_model__closed_network__only_by_its_owner(
    chain: Chain, network_owner: bytes, stranger: bytes
) -> None:
    closed = register(chain, network_owner, permissionless=False)

    with reverts("NotNetworkOwner", networkId=closed.id, caller=stranger):
        chain.send(stranger, "registerModel", closed.id, b"c" * 32, ZERO32, ZERO32, "", "")


def test_register_model__open_network__by_anyone_under_a_hash(
    chain: Chain, network: Network, stranger: bytes
) -> None:
    mined = chain.send(
        stranger, "registerModel", network.id, b"c" * 32, b"s" * 32, network.model_id, "n", "u"
    )

    event = mined.event(ModelRegistered)
    assert event.model_id == model_id(network.id, stranger, b"c" * 32, b"s" * 32, network.model_id)
    assert (event.registrant, event.name, event.uri) == (stranger, "n", "u")
    terms = chain.registry.read("modelTerms", network.id, event.model_id)
    assert terms == (network.rules.stake_per_inference, network.rules.challenge_window, True)


def test_register_model__twice__reverts(
    chain: Chain, network: Network, network_owner: bytes
) -> None:
    with reverts("ModelExists", modelId=network.model_id):
        chain.send(network_owner, "registerModel", network.id, b"c" * 32, b"s" * 32, ZERO32, "", "")


def test_register_model__parent_of_another_network__reverts(
    chain: Chain, network: Network, network_owner: bytes
) -> None:
    other = register(chain, network_owner, salt=1)

    with reverts("ModelNotFound", networkId=network.id, modelId=other.model_id):
        chain.send(
            network_owner, "registerModel", network.id, ZERO32, ZERO32, other.model_id, "", ""
        )


def test_register_model__unknown_network__reverts(chain: Chain, network_owner: bytes) -> None:
    with reverts("NetworkNotFound"):
        chain.send(network_owner, "registerModel", b"n" * 32, ZERO32, ZERO32, ZERO32, "", "")


def test_rules_of__unknown_network__reverts(chain: Chain) -> None:
    with reverts("NetworkNotFound", networkId=b"n" * 32):
        chain.registry.read("rulesOf", b"n" * 32)
