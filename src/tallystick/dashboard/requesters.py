"""One requester at a registry: what it signed for, of the batch data that were found."""

from collections.abc import Sequence
from typing import Any

from tallystick.dashboard.batches import ENDINGS
from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import NetworkKey, RequesterKey
from tallystick.dashboard.snapshot import NotHereError, Snapshot
from tallystick.data.resolvers.kinds import GRADES

_JOINED = """
FROM inferences i
JOIN BatchCommitted c USING (chain_id, address, batch_id)
JOIN batches b ON b.chain_id = c.chain_id AND b.address::VARCHAR = c.address
    AND b.block_number = c.block_number AND b.log_index = c.log_index
"""
_LEAVES = f"""{_JOINED}
WHERE i.solicited AND i.chain_id = ? AND i.address = ? AND i.requester = ?
"""
_STATE = """CASE WHEN b.ending = 'rejected' THEN 'rejected' WHEN b.ending IS NOT NULL THEN 'final'
    ELSE 'open' END"""


def requester(snapshot: Snapshot, key: RequesterKey) -> Row:
    """Return what api_requesters.RequesterInFull takes; NotHereError when no data name it."""
    return snapshot.once(("requester", key), lambda: _requester(snapshot, key))


def requester_keys(snapshot: Snapshot, most: int) -> list[RequesterKey]:
    """Return requesters, those who signed for most first, and at most so many."""
    rows = snapshot.events.rows(
        "SELECT chain_id, address, requester FROM inferences JOIN BatchCommitted "
        "USING (chain_id, address, batch_id) WHERE solicited GROUP BY ALL "
        "ORDER BY count(*) DESC, requester LIMIT ?",
        most,
    )
    return [RequesterKey(*row.values()) for row in rows]


def asked(snapshot: Snapshot, key: RequesterKey, offset: int, limit: int) -> list[Row]:
    """Return some of the inferences that it signed for, the newest first."""
    return snapshot.events.rows(
        "SELECT c.chain_id, c.address AS core, c.network_id::VARCHAR AS network_id, c.batch_id, "
        "i.leaf_index, c.operator::VARCHAR AS operator, c.model_id::VARCHAR AS model_id, "
        f"c.block_number, c.block_time, {_STATE} AS state, "
        f"CASE WHEN b.ending <> 'rejected' THEN b.ending END AS outcome {_LEAVES} "
        "ORDER BY c.block_number DESC, c.log_index DESC, i.leaf_index LIMIT ? OFFSET ?",
        *key,
        limit,
        offset,
    )


def of_network(snapshot: Snapshot, network: NetworkKey) -> list[Row]:
    """Return a network's requesters as far as data were found, those who signed for most first."""
    snapshot.network(network)
    return snapshot.once(("requesters", network), lambda: _of_network(snapshot, network))


def _of_network(snapshot: Snapshot, network: NetworkKey) -> list[Row]:
    verified = ", ".join(f"'{grade}'" for grade in GRADES.values())
    return snapshot.events.rows(
        "SELECT i.requester, count(*) AS asked, "
        f"count(*) FILTER (b.ending IN ({verified})) AS verified, "
        "count(*) FILTER (b.ending = 'rejected') AS rejected, "
        f"count(*) / sum(count(*)) OVER () AS share {_JOINED} "
        "WHERE i.solicited AND i.chain_id = ? AND i.address = ? AND c.network_id = ? "
        "GROUP BY 1 ORDER BY asked DESC, requester",
        *network,
    )


def _requester(snapshot: Snapshot, key: RequesterKey) -> Row:
    sums = ", ".join(f"count(*) FILTER (b.ending = '{name}') AS {name}" for name in ENDINGS)
    rows = snapshot.events.rows(
        "SELECT c.network_id::VARCHAR AS network_id, count(*) AS asked, "
        f"count(*) FILTER (b.ending IS NULL) AS open, {sums}, "
        "count(DISTINCT c.batch_id) AS batches, count(DISTINCT c.operator) AS operators, "
        f"max(c.block_time) AS last_time {_LEAVES} GROUP BY 1",
        *key,
    )
    if not rows:
        raise NotHereError(
            f"no batch data that were found name requester {key.requester}: what they lack, and "
            "what it asked elsewhere, is not available"
        )
    counted = {row["network_id"]: row for row in rows}
    here = [one for one in snapshot.network_keys() if (one.chain_id, one.core) == key[:2]]
    return {
        **key._asdict(),
        "asked": sum(row["asked"] for row in rows),
        "not_all_found": _not_all_found(snapshot, here),
        "networks": [
            _in_network(snapshot, one, counted[one.network_id])
            for one in here
            if one.network_id in counted
        ],
    }


def _in_network(snapshot: Snapshot, network: NetworkKey, row: Row) -> Row:
    told = snapshot.network(network)
    signed = snapshot.events.value(
        "SELECT count(*) FROM inferences JOIN BatchCommitted USING (chain_id, address, batch_id) "
        "WHERE solicited AND chain_id = ? AND address = ? AND network_id = ?",
        *network,
    )
    return (
        row
        | network._asdict()
        | {name: told[name] for name in ("name", "resolvers", "requesters", "found_share")}
        | {"verified": row["audited"] + row["enclave"] + row["proven"]}
        | {"signed": signed, "share": row["asked"] / signed}
    )


def _not_all_found(snapshot: Snapshot, here: Sequence[NetworkKey]) -> int:
    """Return of how many networks not all batch data were found: it may have asked there."""
    told: list[Any] = [snapshot.network(one) for one in here]
    return sum(row["committed"] > 0 and (row["found_share"] or 0.0) < 1 for row in told)
