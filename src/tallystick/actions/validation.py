"""Questions to a validator of ERC-8004 about a network's batches, and its answers."""

from collections.abc import Iterator
from typing import NamedTuple

from tallystick.chain.validations import ValidationRegistry
from tallystick.protocol.ledger import BatchState, Ledger
from tallystick.protocol.validation_opinion import Opinion, lane_request, opinion


class Asked(NamedTuple):
    """A request that a validator was sent, of a batch that the ledger knows."""

    request_hash: bytes
    agent_id: int
    said: Opinion | str
    """What is to be said; or why nothing is, yet."""


def unanswered(
    registry: ValidationRegistry, validator: bytes, ledger: Ledger, chain_id: int, core: bytes
) -> Iterator[Asked]:
    """Yield the requests that wait for a validator, oldest first; strangers' hashes are passed by.

    Args:
        registry: where it is asked.
        validator: 20 bytes.
        ledger: of the networks that it answers for.
        chain_id: EIP-155.
        core: the Tallystick registry's address, 20 bytes.

    Raises:
        ContractError, NoContractError: see ValidationRegistry.
    """
    batches: dict[bytes, BatchState] = {}
    lanes: dict[tuple[bytes, bytes], list[BatchState]] = {}
    for record in ledger.batches.values():
        batches[record.id] = batches[lane_request(record.id)] = record
        lanes.setdefault((record.batch.network_id, record.batch.operator), []).append(record)
    for request_hash in registry.requests(validator):
        last = batches.get(request_hash)
        if last is None:
            continue
        found = registry.status(request_hash)
        if found.answered or found.validator != validator:
            continue
        lane = lanes[last.batch.network_id, last.batch.operator]
        said = opinion(chain_id, core, request_hash, lane, last)
        yield Asked(request_hash, found.agent_id, said)
