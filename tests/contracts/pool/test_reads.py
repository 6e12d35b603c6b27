"""Reads of a pool by the package: many views in a few requests, or one by one where a node
takes no batches."""

import pytest
from web3.exceptions import Web3RPCError

from tallystick.chain import view
from tallystick.chain.pool import Pool as DeployedPool
from tallystick.chain.pool import Standing
from tallystick.protocol.pool import epoch_of
from tests.contracts.pool.conftest import SEATS
from tests.support.chain import Chain
from tests.support.pool import SEAT_STAKE, Pool

REFUSAL = Web3RPCError("batch requests are not supported")


@pytest.fixture
def requests(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the batches that are asked."""
    sizes: list[int] = []
    ask = chain.w3.provider.make_batch_request

    def counted(calls: list[tuple[str, object]]) -> object:
        sizes.append(len(calls))
        return ask(calls)  # type: ignore[arg-type]

    monkeypatch.setattr(chain.w3.provider, "make_batch_request", counted)
    return sizes


def test_entries__more_than_a_batch__are_the_list(
    chain: Chain, pool: Pool, requests: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "BATCH", 4)
    epoch = epoch_of(chain.now)

    assert DeployedPool(chain.w3, pool.address).entries(epoch) == pool.lists[epoch]

    assert requests == [4, 4, 1]


def test_entries__node_takes_no_batches__are_the_list(
    chain: Chain, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(calls: object) -> object:
        raise REFUSAL

    monkeypatch.setattr(chain.w3.provider, "make_batch_request", refused)
    epoch = epoch_of(chain.now)

    assert DeployedPool(chain.w3, pool.address).entries(epoch) == pool.lists[epoch]


def test_members__are_each_as_asked_alone(chain: Chain, pool: Pool) -> None:
    deployed = DeployedPool(chain.w3, pool.address)
    keys = [*chain.accounts[: len(SEATS)], bytes(19) + b"\1"]

    found = deployed.members(keys)

    assert found == [deployed.member(key) for key in keys]
    assert [one.seats for one in found] == [*SEATS, 0]
    assert found[0].standing is Standing.ACTIVE
    assert found[-1].standing is Standing.FREE
    assert deployed.terms().seat_stake == SEAT_STAKE
    assert deployed.core() == chain.registry.address
