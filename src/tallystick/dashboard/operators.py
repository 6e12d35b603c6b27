"""One operator at a registry: its lanes, its keys, and what it lost."""

from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import NetworkKey, OperatorKey, condition
from tallystick.dashboard.snapshot import NotHereError, Snapshot
from tallystick.data.decode.words import LIMBS
from tallystick.data.resolvers.kinds import GRADES
from tallystick.data.totals.amounts import whole

_OF_LANES = ("BatchCommitted", "Staked")
"""Its own acts: whom it admits, a network's owner alone decides."""
_LOSSES = ("reward", "burned")


def operator(snapshot: Snapshot, key: OperatorKey) -> Row:
    """Return what api_operators.OperatorInFull takes; NotHereError when no event names it."""
    return snapshot.once(("operator", key), lambda: _operator(snapshot, key))


def operator_keys(snapshot: Snapshot, most: int) -> list[OperatorKey]:
    """Return operators with a lane, those who committed last first, and at most so many."""
    every = " UNION ALL ".join(
        f"SELECT chain_id, address, operator, block_number FROM {name}" for name in _OF_LANES
    )
    rows = snapshot.events.rows(
        f"SELECT chain_id, address, operator FROM ({every}) GROUP BY ALL "
        "ORDER BY max(block_number) DESC, operator LIMIT ?",
        most,
    )
    return [OperatorKey(*row.values()) for row in rows]


def _operator(snapshot: Snapshot, key: OperatorKey) -> Row:
    lanes = [_lane(snapshot, network, key) for network in _networks(snapshot, key)]
    keys = snapshot.events.rows(
        "SELECT key, block_number, block_time, transaction_hash FROM KeySet "
        f"WHERE {condition(key)} ORDER BY block_number, log_index",
        *key,
    )
    if not lanes and not keys:
        raise NotHereError(f"no event tells of operator {key.operator}")
    return {
        **key._asdict(),
        "batches": snapshot.batches.count(key),
        "disputes_open": snapshot.disputes.count("open", key),
        "disputes_past": snapshot.disputes.count("past", key),
        "rejections": snapshot.disputes.rejected_count(key),
        "keys": keys,
        "lanes": lanes,
    }


def _networks(snapshot: Snapshot, key: OperatorKey) -> list[NetworkKey]:
    """Return the networks in which it has a lane, in the order of the ranking."""
    every = " UNION ".join(
        f"SELECT network_id::VARCHAR AS network_id FROM {name} WHERE {condition(key)}"
        for name in _OF_LANES
    )
    rows = snapshot.events.of_copies(every, *key * len(_OF_LANES))
    found = {row["network_id"] for row in rows}
    return [
        one
        for one in snapshot.network_keys()
        if (one.chain_id, one.core) == key[:2] and one.network_id in found
    ]


def _lane(snapshot: Snapshot, network: NetworkKey, key: OperatorKey) -> Row:
    told = snapshot.network(network)
    (counted,) = (row for row in snapshot.operators(network) if row["operator"] == key.operator)
    known = [grade for grade in GRADES.values() if told[f"standing_{grade}"] == "known"]
    limbs = ", ".join(
        f"coalesce(sum({name}_{at}), 0) AS {name}_{at}" for name in _LOSSES for at in range(LIMBS)
    )
    (losses,) = snapshot.events.rows(
        f"SELECT {limbs} FROM BatchRejected WHERE {condition(key)} AND network_id = ?",
        *key,
        network.network_id,
    )
    return (
        network._asdict()
        | {name: told[name] for name in ("name", "asset", "resolvers")}
        | counted
        | {"known_verified": sum(counted[grade] for grade in known)}
        | {"lost": sum(whole(losses, name) for name in _LOSSES)}
    )
