"""network.py: ids against eth-abi, and what registerNetwork refuses."""

from typing import Any

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import FieldError, RulesError
from tallystick.protocol.rules import MAX_BYTES, MAX_WINDOW, Rules, model_id, network_id

RULES = "(address,address[3],address,uint96,uint96,uint96,uint32,uint32,uint32,uint32,bool,bool)"

bytes32 = st.binary(min_size=32, max_size=32)
accounts = st.binary(min_size=20, max_size=20)
uint96 = st.integers(0, 2**96 - 1)
uint32 = st.integers(0, 2**32 - 1)
any_rules = st.builds(
    Rules,
    accounts,
    st.tuples(accounts, accounts, accounts),
    accounts,
    uint96,
    uint96,
    uint96,
    uint32,
    uint32,
    uint32,
    uint32,
    st.booleans(),
    st.booleans(),
)
GOOD = Rules(challenge_window=60, response_window=30, ruling_window=1)
GOOD_MAPPING = {"challenge_window": 60, "response_window": 30, "ruling_window": 1}


@given(st.integers(0, 2**256 - 1), accounts, accounts, bytes32, any_rules)
def test_network_id__anything__same_as_eth_abi(
    chain_id: int, registry: bytes, owner: bytes, salt: bytes, rules: Rules
) -> None:
    types = ["uint256", "address", "address", "bytes32", RULES]
    encoded = encode(types, [chain_id, registry, owner, salt, rules.abi()])

    assert network_id(chain_id, registry, owner, salt, rules) == keccak(encoded)


@given(bytes32, accounts, bytes32, bytes32, bytes32)
def test_model_id__anything__same_as_eth_abi(
    network: bytes, registrant: bytes, content: bytes, spec: bytes, parent: bytes
) -> None:
    types = ["bytes32", "address", "bytes32", "bytes32", "bytes32"]
    encoded = encode(types, [network, registrant, content, spec, parent])

    assert model_id(network, registrant, content, spec, parent) == keccak(encoded)


@given(any_rules)
def test_to_mapping__any_rules__from_mapping_agrees_with_check(rules: Rules) -> None:
    mapping = rules.to_mapping()
    try:
        rules.check()
    except RulesError as error:
        with pytest.raises(RulesError) as again:
            Rules.from_mapping(mapping)
        assert again.value.reasons == error.reasons
    else:
        assert Rules.from_mapping(mapping) == rules


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"challenge_window": MAX_WINDOW, "response_window": MAX_WINDOW // 2},
        {"challenge_window": 61},
        {"ruling_window": MAX_WINDOW},
        {"max_bytes": MAX_BYTES},
        {"arbiter": "0x" + "11" * 20, "challenge_bond": 1},
    ],
)
def test_from_mapping__at_the_limits__returns_rules(changes: dict[str, Any]) -> None:
    rules = Rules.from_mapping({**GOOD_MAPPING, **changes})

    assert rules.response_window <= rules.challenge_window // 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"challenge_window": 0}, "challenge_window is 0 s"),
        ({"response_window": 0}, "response_window is 0 s"),
        ({"ruling_window": 0}, "ruling_window is 0 s"),
        ({"challenge_window": MAX_WINDOW + 1}, "challenge_window"),
        ({"ruling_window": MAX_WINDOW + 1}, "ruling_window"),
        ({"response_window": 31}, "at most half of challenge_window, 30 s"),
        ({"challenge_window": 59}, "at most half of challenge_window, 29 s"),
        ({"arbiter": "0x" + "11" * 20}, "challenge_bond is 0"),
        ({"arbiter": "0x1111"}, "arbiter"),
        ({"max_bytes": 90_001}, "max_bytes is 90001; needed: at most 90000"),
        ({"attestors": ["0x" + "11" * 20]}, "attestors"),
        ({"stake_per_inference": 2**96}, "stake_per_inference"),
        ({"stake_per_inference": 1.5}, "stake_per_inference"),
        ({"challenge_window": "60"}, "challenge_window"),
        ({"chalenge_bond": 5}, "chalenge_bond"),
    ],
)
def test_from_mapping__what_register_refuses__raises(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RulesError, match=reason):
        Rules.from_mapping({**GOOD_MAPPING, **changes})


def test_check__several_reasons__names_all() -> None:
    with pytest.raises(RulesError) as raised:
        Rules(response_window=1, arbiter=b"a" * 20).check()

    assert len(raised.value.reasons) == 4


@pytest.mark.parametrize(
    ("slash", "reward"), [(0, 0), (1, 0), (639, 319), (640, 320), (641, 320), (10_000, 320)]
)
def test_reward__slash__half_of_it_up_to_16_bonds(slash: int, reward: int) -> None:
    assert Rules(challenge_bond=20).reward(slash) == reward


@pytest.mark.parametrize(
    "changes", [{"asset": bytes(19)}, {"max_bytes": 2**32}, {"demand_bond": -1}]
)
def test_rules__field_out_of_range__raises(changes: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        Rules(**changes)
