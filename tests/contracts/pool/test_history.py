"""Seeds at the edges of what the chain keeps: hashes of the last 8,191 blocks, the next to come.

A transaction of block b has the hashes of b - 8,191 to b - 1; it is in a block after the latest.
anvil takes minutes for so many blocks: these are of an EVM in this process, with the chain's own
history contract.
"""

import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from tallystick.chain.pool import Pool as DeployedPool
from tallystick.errors import PoolError
from tallystick.protocol.enums import Grade, Ruling, State
from tallystick.protocol.pool import case_id, epoch_of
from tests.contracts.conftest import GENESIS
from tests.contracts.pool.harm import unharmed
from tests.support.chain import Chain, reverts
from tests.support.in_process import in_process
from tests.support.pool import HISTORY_BLOCKS, RULE_FEE, SEED_DELAY, Pool
from tests.support.story import Committed, Network


@pytest.fixture
def chain() -> Chain:
    return Chain(in_process(GENESIS))


def mine_to(chain: Chain, block: int) -> None:
    """Have the next transaction be of a block of this number, a second or two from now."""
    now = chain.now
    chain.mine(block - 1 - chain.w3.eth.block_number)
    assert chain.w3.eth.block_number == block - 1 and chain.now < now + 2 * HISTORY_BLOCKS


def test_audit__first_and_last_block_that_has_the_seed(
    chain: Chain, pool: Pool, batch: Committed, operator: bytes
) -> None:
    number = batch.stamp.committed_block + SEED_DELAY
    deployed = DeployedPool(chain.w3, pool.address)
    with pytest.raises(PoolError, match=f"too early: block {number} is the seed"):
        deployed.seed(number)
    record, signed = pool.audited(batch)
    assert chain.w3.eth.block_number == number + 1
    assert deployed.seed(number) == record.seed
    honest = [*record.keys, operator]

    with chain.isolated():
        mine_to(chain, number + HISTORY_BLOCKS)
        assert deployed.seed(number) == record.seed
        pool.audit(batch, signed)
        assert batch.status().grade is Grade.AUDITED

    mine_to(chain, number + HISTORY_BLOCKS + 1)
    with pytest.raises(PoolError, match=f"too late: block {number} is the seed"):
        deployed.seed(number)
    with unharmed(pool, honest), reverts("SeedUnavailable", blockNumber=number):
        pool.audit(batch, signed)
    assert batch.status().state is State.OPEN


def test_audit__block_before_the_seed_is_known__reverts_and_in_the_next_works(
    chain: Chain, pool: Pool, batch: Committed
) -> None:
    """The hash of the seed's own block is known to the block after it alone."""
    number = batch.stamp.committed_block + SEED_DELAY
    with chain.isolated():
        _, signed = pool.audited(batch)
    assert chain.w3.eth.block_number < number
    mine_to(chain, number)
    with reverts("SeedUnavailable", blockNumber=number):
        pool.audit(batch, signed)
    head = chain.w3.eth.get_block("latest")
    assert head["number"] == number
    pool.planted[number] = DeployedPool(chain.w3, pool.address).seed(number)
    assert pool.planted[number] == bytes(head["hash"])
    _, signed = pool.audited(batch)

    mined = pool.audit(batch, signed)

    assert mined.block_number == number + 1
    assert batch.status().grade is Grade.AUDITED


def test_case__is_ruled_or_over__never_both_and_never_neither(
    chain: Chain, pool: Pool, audited_network: Network, batch: Committed
) -> None:
    payer = chain.accounts[6]
    audited_network.fund(payer)
    pool.fund(payer)
    standing = batch.pre_image(batch.demand(payer))
    mined = pool.appeal(payer, batch, 3, pre_image=standing)
    case, number = case_id(batch.id, 3), mined.block_number + SEED_DELAY
    signed = pool.verdict(batch, 3, Ruling.UPHELD)

    with chain.isolated():
        mine_to(chain, number + HISTORY_BLOCKS)
        with reverts("CaseNotOver", caseId=case, seedBlock=number):
            pool.send(payer, "expire", case)
    with chain.isolated():
        mine_to(chain, number + HISTORY_BLOCKS)
        pool.ruled(batch, 3, Ruling.UPHELD, signed, pre_image=standing)

    mine_to(chain, number + HISTORY_BLOCKS + 1)
    with reverts("SeedUnavailable", blockNumber=number):
        pool.ruled(batch, 3, Ruling.UPHELD, signed, pre_image=standing)
    before = pool.credit(payer)
    pool.send(payer, "expire", case)
    assert pool.credit(payer) - before == RULE_FEE * (pool.quorums.judges + 1)


@pytest.mark.parametrize("away", [-4, -3, 2, 3])
def test_entries__list_that_is_not_kept__is_an_error_though_it_was_empty(
    chain: Chain, pool: Pool, away: int
) -> None:
    epoch = epoch_of(chain.now) + away
    assert pool.read("headerOf", epoch) == (0, 0)

    with reverts("EpochGone", epoch=epoch):
        DeployedPool(chain.w3, pool.address).entries(epoch)


@pytest.mark.parametrize("away", [-2, -1, 1])
def test_entries__list_that_is_kept_and_nobody_is_in__is_empty(
    chain: Chain, pool: Pool, away: int
) -> None:
    assert DeployedPool(chain.w3, pool.address).entries(epoch_of(chain.now) + away) == []
