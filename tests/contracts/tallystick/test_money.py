"""deposit, withdraw, stake, unstake, sweep

├── refused: wrong coins, too little credit, stake locked, nothing burned, a coin refused
└── moved: to the unit, for tokens with a fee, that refuse the burn address, that call back
"""

from typing import Any

import pytest

from tallystick.chain.abi import contract
from tallystick.chain.call import Call
from tallystick.protocol.events import Withdrawn
from tallystick.protocol.hexes import checksummed
from tests.support.chain import Chain, reverts
from tests.support.story import CREDIT, STAKE, Network, conserved, fund, register

NATIVE = bytes(20)
BURN = bytes.fromhex("000000000000000000000000000000000000dead")


def deployed(chain: Chain, name: str) -> bytes:
    return bytes.fromhex(chain.deploy(name).address[2:])


@pytest.fixture(params=["native", "MockToken"])
def asset(request: pytest.FixtureRequest, chain: Chain) -> bytes:
    return NATIVE if request.param == "native" else deployed(chain, request.param)


@pytest.mark.parametrize(("sent", "amount"), [(4, 5), (6, 5), (0, 1)])
def test_deposit__other_coins_than_said__reverts(
    chain: Chain, stranger: bytes, sent: int, amount: int
) -> None:
    with reverts("NativeAmountMismatch", sent=sent, needed=amount):
        chain.send(stranger, "deposit", NATIVE, amount, value=sent)


def test_deposit__coins_with_a_token__reverts(chain: Chain, stranger: bytes) -> None:
    token = deployed(chain, "MockToken")

    with reverts("NativeAmountMismatch", sent=1, needed=0):
        chain.send(stranger, "deposit", token, 5, value=1)


def test_deposit_and_withdraw__any_asset__moves_to_the_unit(
    chain: Chain, asset: bytes, stranger: bytes, operator: bytes
) -> None:
    fund(chain, asset, stranger, 500)
    before = chain.balance(asset, operator)

    chain.send(stranger, "withdraw", asset, operator, 499)

    assert chain.registry.credit(asset, stranger) == 1
    assert chain.balance(asset, operator) - before == 499
    assert chain.balance(asset, chain.registry.address) == 1


def test_deposit__token_with_a_fee__credits_what_arrived(chain: Chain, stranger: bytes) -> None:
    token = deployed(chain, "FeeToken")

    fund(chain, token, stranger, 1000)

    assert chain.registry.credit(token, stranger) == 990
    assert chain.balance(token, chain.registry.address) == 990


def test_withdraw__more_than_credit__reverts(chain: Chain, stranger: bytes) -> None:
    fund(chain, NATIVE, stranger, 5)

    with reverts("InsufficientCredit", account=stranger, credit=5, needed=6):
        chain.send(stranger, "withdraw", NATIVE, stranger, 6)


def test_withdraw__to_a_contract_that_takes_no_coins__reverts(
    chain: Chain, stranger: bytes, resolver: bytes
) -> None:
    fund(chain, NATIVE, stranger, 5)

    with reverts("TransferFailed", to=resolver, amount=5):
        chain.send(stranger, "withdraw", NATIVE, resolver, 5)


def test_plain_transfer__to_the_registry__is_refused(chain: Chain, stranger: bytes) -> None:
    with reverts("Reverted"):
        chain.send_call(stranger, Call(chain.registry.address, b"", 1))


def test_forced_coins__credit_nobody(chain: Chain, stranger: bytes, network: Network) -> None:
    chain.deploy("ForceSender", checksummed(chain.registry.address), value=77)

    conserved(chain, network, forced=77)


def nothing(part: dict[str, Any]) -> Any:
    """An argument of zeros, of any ABI type."""
    kind = part["type"]
    if kind.endswith("[]"):
        return []
    if kind == "tuple":
        return tuple(nothing(one) for one in part["components"])
    if kind == "tuple[3]" or kind.endswith("[3]"):
        return [nothing({**part, "type": kind[:-3]}) for _ in range(3)]
    if kind.startswith("bytes"):
        return bytes(int(kind[5:] or 0))
    return {"address": bytes(20), "bool": False, "string": ""}.get(kind, 0)


# `each` changes nothing by itself: what it calls is locked, see test_each.py.
ACTIONS = [
    entry
    for entry in contract("Tallystick").abi
    if entry.get("stateMutability") in ("nonpayable", "payable")
    and entry["type"] == "function"
    and entry["name"] != "each"
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda entry: entry["name"])
def test_reentrant_token__calling_back__is_refused(
    chain: Chain, stranger: bytes, action: dict[str, Any]
) -> None:
    hostile = chain.deploy("ReentrantToken")
    token = bytes.fromhex(hostile.address[2:])
    fund(chain, token, stranger, 100)
    callback = chain.registry.call(action["name"], *(nothing(part) for part in action["inputs"]))
    address = checksummed(chain.registry.address)
    chain.transact(stranger, hostile.functions.arm(address, callback.data))

    # ReentrancyGuardReentrantCall() is OpenZeppelin's, and in the registry's ABI.
    with reverts("ReentrancyGuardReentrantCall"):
        chain.send(stranger, "withdraw", token, stranger, 1)


def test_stake__unknown_network__reverts(chain: Chain, stranger: bytes) -> None:
    with reverts("NetworkNotFound"):
        chain.send(stranger, "stake", b"n" * 32, 0)


def test_stake__more_than_credit__reverts(chain: Chain, network: Network, stranger: bytes) -> None:
    with reverts("InsufficientCredit", credit=0, needed=1):
        chain.send(stranger, "stake", network.id, 1)


def test_stake_and_unstake__any_asset__moves_between_credit_and_lane(
    chain: Chain, asset: bytes, stranger: bytes
) -> None:
    network = register(chain, stranger, asset=asset)
    fund(chain, asset, stranger, 100)

    chain.send(stranger, "stake", network.id, 70)
    assert (network.credit(stranger), network.lane(stranger).stake) == (30, 70)
    chain.send(stranger, "unstake", network.id, 20)

    assert (network.credit(stranger), network.lane(stranger).stake) == (50, 50)
    conserved(chain, network)


def test_unstake__locked_stake__reverts_by_the_unit(
    chain: Chain, network: Network, operator: bytes
) -> None:
    network.commit(operator, count=5)
    free = STAKE - 5 * network.rules.stake_per_inference

    with reverts("InsufficientStake", stake=STAKE, needed=STAKE + 1):
        chain.send(operator, "unstake", network.id, free + 1)
    chain.send(operator, "unstake", network.id, free)

    assert network.credit(operator) == CREDIT + free


def test_unstake__after_finality__nothing_is_locked(
    chain: Chain, network: Network, operator: bytes
) -> None:
    network.final(operator)

    chain.send(operator, "unstake", network.id, STAKE)

    assert network.lane(operator).stake == 0


def rejected(chain: Chain, network: Network, operator: bytes, prover: bytes) -> None:
    """Have a batch of 5 rejected for its order: slash 55, no reward without a bond to cap it."""
    batch = network.commit(operator, count=5, shape=lambda leaves: leaves[::-1])
    chain.send(prover, "faultOrder", batch.pre_image(), batch.opening(0), batch.opening(1))


def test_sweep__burned__goes_to_the_burn_address_once(
    chain: Chain, asset: bytes, network_owner: bytes, stranger: bytes
) -> None:
    network = register(chain, network_owner, asset=asset)
    network.join(stranger)
    rejected(chain, network, stranger, network_owner)
    before = chain.balance(asset, BURN)

    chain.send(network_owner, "sweep", network.id)

    assert chain.balance(asset, BURN) - before == network.totals().burned == 28
    assert chain.registry.read("sweptOf", network.id) == 28
    with reverts("NothingToSweep", networkId=network.id):
        chain.send(network_owner, "sweep", network.id)
    conserved(chain, network)


def test_sweep__a_single_unit__is_swept(
    chain: Chain, network_owner: bytes, operator: bytes, challenger: bytes, resolver: bytes
) -> None:
    network = register(
        chain,
        network_owner,
        salt=6,
        arbiter=resolver,
        stake_per_inference=1,
        challenge_bond=1,
        demand_bond=0,
    )
    network.join(operator)
    batch = network.commit(operator, count=1)
    evidence = (2).to_bytes(32, "big")
    chain.send(challenger, "disprove", batch.pre_image(), batch.opening(0), evidence)
    assert network.totals().burned == 1

    chain.send(challenger, "sweep", network.id)

    assert chain.registry.read("sweptOf", network.id) == 1


def test_withdraw__to_another__tells_who_paid_and_who_was_paid(
    chain: Chain, stranger: bytes, operator: bytes
) -> None:
    fund(chain, bytes(20), stranger, 9)

    event = chain.send(stranger, "withdraw", bytes(20), operator, 9).event(Withdrawn)

    told = (event.asset, event.account, event.to, event.amount)
    assert told == (bytes(20), stranger, operator, 9)


def test_sweep__token_that_refuses_the_burn_address__blocks_the_sweep_only(
    chain: Chain, network_owner: bytes, stranger: bytes
) -> None:
    token = deployed(chain, "BurnRefusingToken")
    network = register(chain, network_owner, asset=token)
    network.join(stranger)

    rejected(chain, network, stranger, network_owner)

    assert network.totals().rejected == 5
    with reverts("UnknownError"):
        chain.send(network_owner, "sweep", network.id)
    chain.send(stranger, "withdraw", token, stranger, 1)
    conserved(chain, network)
