"""Events of a pool about one batch: who signed its audit, and which cases were opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tallystick.chain.contract_events import contract_events
from tallystick.chain.pool import Pool, PoolCase
from tallystick.errors import PoolError
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.pool import NO_RECORD, Record


@dataclass(frozen=True, slots=True)
class LeafCase:
    """An open case, and the leaf that it is about."""

    leaf_index: int
    case: PoolCase


def find_record(pool: Pool, batch_id: bytes, first_block: int) -> Record:
    """Return who signed a batch's audit; without keys where it has no record.

    Args:
        pool: the contract.
        batch_id: 32 bytes.
        first_block: of the commit, or earlier.

    Raises:
        PoolError: there is a record, and the node leaves out the event that tells it.
    """
    stored = pool.record(batch_id)
    if stored is None:
        return NO_RECORD
    for args in _events(pool, "AuditStored", [to_hex(batch_id)], first_block):
        keys = tuple(from_hex(key) for key in args["keys"])
        record = Record(bytes(args["seed"]), keys)
        if record.hash() == stored:
            return record
    raise PoolError(
        f"batch {to_hex(batch_id)} has a record, and the node leaves out the event that tells of it"
    )


def find_cases(pool: Pool, batch_id: bytes, first_block: int) -> list[LeafCase]:
    """Return the cases on a batch's leaves that are open now, the oldest first.

    Args:
        pool: the contract.
        batch_id: 32 bytes.
        first_block: of the commit, or earlier.
    """
    leaves = {
        bytes(args["caseId"]): int(args["leafIndex"])
        for args in _events(pool, "CaseOpened", None, first_block, [to_hex(batch_id)])
    }
    found = ((leaf, pool.case(key)) for key, leaf in leaves.items())
    return [LeafCase(leaf, case) for leaf, case in found if case is not None]


def unswept(pool: Pool, first_block: int) -> int:
    """Return the stake that was burned and not yet swept, in units of the asset.

    Args:
        pool: the contract.
        first_block: of its deployment, or earlier.
    """
    burned = sum(int(args["burned"]) for args in _events(pool, "Convicted", None, first_block))
    swept = sum(int(args["amount"]) for args in _events(pool, "Swept", None, first_block))
    return burned - swept


def _events(
    pool: Pool,
    name: str,
    first_topic: list[str] | None,
    first_block: int,
    second_topic: list[str] | None = None,
) -> Iterator[Any]:
    """Yield the arguments of an event, in their order; topics are of its indexed arguments."""
    topics = (first_topic, second_topic)
    return contract_events(pool.w3, "Pool", pool.address, name, topics, first_block)
