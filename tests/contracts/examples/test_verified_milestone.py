"""VerifiedMilestone: reached by verified inferences; an unknown network is no network of zeros."""

from typing import Any

import pytest

from tallystick.chain.abi import signature_hash
from tallystick.chain.revert import ContractError
from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import checksummed
from tests.support.chain import Chain
from tests.support.story import Network

YES = (1).to_bytes(32, "big")


def milestone(
    chain: Chain, network_id: bytes, wanted: int = 5, registry: bytes | None = None
) -> Any:
    address = checksummed(registry or chain.registry.address)
    return chain.deploy("VerifiedMilestone", address, network_id, wanted)


def final(chain: Chain, network: Network, operator: bytes, audited: bool) -> None:
    batch = network.commit(operator)
    if audited:
        evidence = (*(batch.batch.abi(), batch.stamp.pack()), int(Grade.AUDITED), YES)
        chain.send(operator, "attest", *evidence)
    chain.at(batch.closes_at)
    chain.send(operator, "finalize", [batch.ref], network.id, operator)


def test_constructor__unknown_network__reverts(chain: Chain) -> None:
    with pytest.raises(ContractError) as error:
        milestone(chain, b"?" * 32)

    assert error.value.name == "NetworkNotFound"


def test_constructor__no_registry_there__reverts(chain: Chain, network: Network) -> None:
    with pytest.raises(ContractError):
        milestone(chain, network.id, registry=b"\x77" * 20)


def test_verified__known_network_without_any__is_zero(chain: Chain, network: Network) -> None:
    assert milestone(chain, network.id).functions.verified().call() == 0


def test_reach__unchallenged_only__is_refused(
    chain: Chain, network: Network, operator: bytes
) -> None:
    contract = milestone(chain, network.id)
    final(chain, network, operator, audited=False)

    with pytest.raises(ContractError) as error:
        chain.transact(operator, contract.functions.reach())

    entry = next(one for one in contract.abi if one.get("name") == "NotYet")
    assert error.value.data[:4] == signature_hash(entry)[:4]


def test_reach__enough_verified__once(chain: Chain, network: Network, operator: bytes) -> None:
    contract = milestone(chain, network.id)
    final(chain, network, operator, audited=True)

    chain.transact(operator, contract.functions.reach())

    assert contract.functions.reached().call()
    with pytest.raises(ContractError):
        chain.transact(operator, contract.functions.reach())
