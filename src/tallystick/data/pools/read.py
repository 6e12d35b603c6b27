"""Facts of pools, as a data folder has them: no node is asked."""

from collections.abc import Mapping
from typing import Any

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.pools import logs
from tallystick.data.pools.state import SeatsAtBlock, pools_of
from tallystick.data.resolvers.pool_facts import AuditRecord, EpochSeats, PoolFacts
from tallystick.data.totals.coverage import Coverage, CoverageError
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.pool import FINDERS

Batches = Mapping[str, int]
"""Inferences of batches that were attested as audited, by batch id, hex text."""


def read_pools(
    data: Dataset,
    held: Coverage,
    facts: Mapping[str, Mapping[str, Any]],
    audited: Mapping[str, Mapping[str, Batches]],
) -> dict[str, PoolFacts]:
    """Return the seats and audits of a registry's pools, by address.

    Args:
        data: the folder.
        held: the registry's events in it.
        facts: of resolvers by address, as read_resolvers gives them.
        audited: by pool and network id, the batches that it audited as the registry has it.

    Raises:
        CoverageError: the pools were not read up to the folder's last block.
    """
    if not pools_of(facts, held.contract):
        return {}
    state = SeatsAtBlock.read(data.pools(held.contract))
    if state is None or not state.is_of(held.last_block, held.boundary):
        raise CoverageError(
            f"the pools of {held.contract.folder} are not read up to block {held.last_block}: a "
            "run was interrupted; run `tallystick extract` again"
        )
    return {
        address: _facts(data, held, address, facts[address], state, audited.get(address, {}))
        for address in state.pools
        if address in facts
    }


def _facts(
    data: Dataset,
    held: Coverage,
    address: str,
    fact: Mapping[str, Any],
    state: SeatsAtBlock,
    audited: Mapping[str, Batches],
) -> PoolFacts:
    pool = ContractKey(held.contract.chain_id, from_hex(address))
    listed = state.pools[address]
    seats = EpochSeats(state.block, listed.epoch, listed.seats, listed.accounts, listed.convicted)
    if not any(audited.values()):
        return PoolFacts(seats)
    seat_stake = fact["terms"]["terms"]["seatStake"]
    held_seats = {
        (one.key, one.epoch): one.seats for one in logs.enrolments(data, pool, held.last_block)
    }
    records = {one.batch_id: one for one in logs.audits(data, pool, held.last_block)}
    audits, missing = {}, {}
    for network, batches in audited.items():
        found = [(records[batch], count) for batch, count in batches.items() if batch in records]
        audits[network] = tuple(
            AuditRecord(
                count,
                sum(_burned(held_seats.get((key, one.epoch), 0) * seat_stake) for key in one.keys),
            )
            for one, count in found
        )
        if left := len(batches) - len(found):
            missing[network] = left
    return PoolFacts(seats, audits, missing)


def _burned(stake: int) -> int:
    """Return what a conviction burns of a key's stake: all but the finder's part."""
    return stake - stake // FINDERS
