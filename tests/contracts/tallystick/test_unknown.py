"""What names something that was never registered or committed

├── actions and views of an unknown network, or model: revert by its name
├── what opens a pre-image: reverts, nothing matches
├── finalize of nothing: reverts
└── status, stateOf, archived: Unknown; unknown operators of a known network: zero
"""

from dataclasses import replace

import pytest

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Batch, PreImage, Stamp
from tallystick.protocol.enums import State
from tallystick.protocol.status import LaneStatus
from tests.support.chain import Chain, reverts
from tests.support.story import Network

NOWHERE = b"no such network".ljust(32, b"\0")
OF_A_NETWORK = {
    "admit": lambda who: (NOWHERE, who),
    "close": lambda who: (NOWHERE, who),
    "registerModel": lambda who: (NOWHERE, ZERO32, ZERO32, ZERO32, "", ""),
    "stake": lambda who: (NOWHERE, 0),
    "unstake": lambda who: (NOWHERE, 0),
    "sweep": lambda who: (NOWHERE,),
}
VIEWS = {
    "totals": lambda who: (NOWHERE,),
    "rulesOf": lambda who: (NOWHERE,),
    "ownerOf": lambda who: (NOWHERE,),
    "lifeOf": lambda who: (NOWHERE,),
    "sweptOf": lambda who: (NOWHERE,),
    "modelTerms": lambda who: (NOWHERE, ZERO32),
    "laneOf": lambda who: (NOWHERE, who),
    "wordOf": lambda who: (NOWHERE, who, 0),
}


@pytest.mark.parametrize("name", OF_A_NETWORK)
def test_action__unknown_network__reverts(
    chain: Chain, network: Network, stranger: bytes, name: str
) -> None:
    with reverts("NetworkNotFound", networkId=NOWHERE):
        chain.send(stranger, name, *OF_A_NETWORK[name](stranger))


@pytest.mark.parametrize("amount", [0, 1, 2**128 - 1])
def test_unstake__unknown_network__reverts_whatever_the_amount(
    chain: Chain, stranger: bytes, amount: int
) -> None:
    with reverts("NetworkNotFound", networkId=NOWHERE):
        chain.send(stranger, "unstake", NOWHERE, amount)


@pytest.mark.parametrize("name", VIEWS)
def test_view__unknown_network__reverts(
    chain: Chain, network: Network, stranger: bytes, name: str
) -> None:
    with reverts("NetworkNotFound", networkId=NOWHERE):
        chain.registry.read(name, *VIEWS[name](stranger))


@pytest.mark.parametrize("parent", [NOWHERE, b"\1".rjust(32, b"\0")])
def test_register_network__unknown_parent__reverts(
    chain: Chain, network: Network, stranger: bytes, parent: bytes
) -> None:
    rules = replace(network.rules).abi()

    with reverts("NetworkNotFound", networkId=parent):
        chain.send(stranger, "registerNetwork", ZERO32, rules, parent, "", "")


def test_views__network_without_commits__answer_zeros(
    chain: Chain, network: Network, stranger: bytes
) -> None:
    assert network.totals().committed == 0
    assert network.lane(stranger) == LaneStatus(0, 0, 0, False, False)
    assert chain.registry.word(network.id, stranger, 0) == ZERO32
    assert chain.registry.read("sweptOf", network.id) == 0


def test_model_terms__unknown_model__reverts(chain: Chain, network: Network) -> None:
    with reverts("ModelNotFound", networkId=network.id, modelId=NOWHERE):
        chain.registry.read("modelTerms", network.id, NOWHERE)


@pytest.mark.parametrize("field", ["networkId", "modelId"])
def test_commit__unknown_network_or_model__reverts(
    chain: Chain, network: Network, operator: bytes, field: str
) -> None:
    names = {"networkId": "network_id", "modelId": "model_id"}
    leaves = network.inferences(operator, 5, 0, chain.now + 900)

    with reverts("ModelNotFound", **{field: NOWHERE}):
        chain.send(operator, "commit", network.commitment(leaves, 0, **{names[field]: NOWHERE}))


def made_up(network: Network, operator: bytes, network_id: bytes) -> PreImage:
    """Return the pre-image of a batch that nobody committed."""
    batch = Batch(network_id, operator, 0, network.model_id, b"r" * 32, 5, 2**40)
    return PreImage(batch, Stamp(0, 5, 1_800_000_000, 1, 1_800_010_000))


@pytest.mark.parametrize("where", ["unknown network", "known network"])
def test_pre_image__of_nothing__opens_nothing(
    chain: Chain, network: Network, operator: bytes, challenger: bytes, where: str
) -> None:
    held = made_up(network, operator, NOWHERE if where == "unknown network" else network.id)
    leaf = network.inferences(operator, 1, 0, chain.now)[0].abi_leaf()
    opening = (leaf, 0, [ZERO32] * 3)
    batch, stamp, _ = held.abi()
    ref = (held.batch.id(), stamp)
    actions = {
        "attest": (batch, stamp, 1, b""),
        "challenge": (batch, stamp, opening),
        "demand": (batch, stamp, 0, False),
        "reveal": (held.abi(), opening, b"", b"", b""),
        "timeout": (held.abi(),),
        "resolve": (held.abi(), leaf, b""),
        "lapse": (held.abi(),),
        "disprove": (held.abi(), opening, b""),
        "faultOrder": (held.abi(), opening, opening),
        "faultRepeat": (held.abi(), opening, held.abi(), opening),
        "faultDeadline": (held.abi(), opening),
        "finalize": ([ref], held.batch.network_id, operator),
        "archive": (held.batch.network_id, operator, ref),
    }
    # Where a proof or the rules are looked at first, they are what is named.
    earlier = {("challenge", "known network"): "ProofInvalid"}
    if where == "unknown network":
        earlier = {("challenge", where): "ArbiterMissing"}

    for name, arguments in actions.items():
        with reverts(earlier.get((name, where), "PreImageMismatch")):
            chain.send(challenger, name, *arguments)

    assert chain.registry.state_of(held) is State.UNKNOWN
    assert chain.registry.archived(held.batch.id()).state is State.UNKNOWN
    status = chain.registry.status(held.batch.network_id, operator, held.batch.id(), held.stamp)
    assert status.state is State.UNKNOWN


def test_finalize__nothing__reverts(
    chain: Chain, network: Network, operator: bytes, stranger: bytes
) -> None:
    for network_id in (network.id, NOWHERE):
        with reverts("NothingToFinalize", networkId=network_id, operator=operator):
            chain.send(stranger, "finalize", [], network_id, operator)
