"""One transaction: the registry's events in it, and the disputes that it opened or ended."""

from collections.abc import Iterable

from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.snapshot import NotHereError, Snapshot
from tallystick.data.totals.engines import EVENTS
from tallystick.data.totals.gas import BATCH_EVENTS

_LARGE = ("amount", "commit_deadline")
"""Integers that are hex text without limbs."""
_PLACE = ("chain_id", "address", "day", "counter", "transaction_hash", "transaction_index")
_OPENED_OR_ENDED = """
SELECT address AS core, batch_id, number, kind, transaction_hash = ? AS opened
FROM numbered_disputes
WHERE chain_id = ? AND (transaction_hash = ? OR end_transaction = ?)
ORDER BY block_number, log_index
"""


def transaction(snapshot: Snapshot, chain_id: int, transaction_hash: str) -> Row:
    """Return what api_transactions.TransactionInFull takes; NotHereError when it has no event."""
    question = ("transaction", chain_id, transaction_hash)
    return snapshot.once(question, lambda: _transaction(snapshot, chain_id, transaction_hash))


def transaction_hashes(snapshot: Snapshot, most: int) -> list[tuple[int, str]]:
    """Return transactions with events about batches, networks and models, the newest first."""
    every = " UNION ALL ".join(
        f"SELECT chain_id, transaction_hash::VARCHAR AS transaction_hash, block_number FROM {name}"
        for name in (*BATCH_EVENTS, "NetworkRegistered", "ModelRegistered", "KeySet")
    )
    rows = snapshot.events.rows(
        f"SELECT chain_id, transaction_hash FROM ({every}) GROUP BY ALL "
        "ORDER BY max(block_number) DESC, transaction_hash LIMIT ?",
        most,
    )
    return [(row["chain_id"], row["transaction_hash"]) for row in rows]


def _transaction(snapshot: Snapshot, chain_id: int, transaction_hash: str) -> Row:
    found = [
        {"event": name, **row}
        for name in EVENTS
        for row in snapshot.events.rows(
            f"SELECT * FROM {name} WHERE transaction_hash = ? AND chain_id = ?",
            transaction_hash,
            chain_id,
        )
    ]
    if not found:
        raise NotHereError(f"no event of a registry is in transaction {transaction_hash}")
    found.sort(key=lambda row: row["log_index"])
    used = snapshot.events.rows(
        "SELECT gas_used FROM transactions WHERE transaction_hash = ? AND chain_id = ?",
        transaction_hash,
        chain_id,
    )
    disputes = snapshot.events.rows(
        _OPENED_OR_ENDED, transaction_hash, chain_id, transaction_hash, transaction_hash
    )
    first = found[0]
    return {
        "chain_id": chain_id,
        "transaction_hash": transaction_hash,
        "block_number": first["block_number"],
        "block_time": first["block_time"],
        "transaction_index": first["transaction_index"],
        "gas_used": used[0]["gas_used"] if used else None,
        "events": [_told(row) for row in found],
        "networks": _networks(snapshot, chain_id, found),
        "disputes": disputes,
    }


def _told(row: Row) -> Row:
    """Return an event with its own fields; amounts as decimal text, without their limbs."""
    limbs = {name for name in row if name[-2:-1] == "_" and name[:-2] in row}
    return {"core": row["address"]} | {
        name: str(int(value, 16)) if f"{name}_0" in limbs or name in _LARGE else value
        for name, value in row.items()
        if name not in limbs and name not in _PLACE
    }


def _networks(snapshot: Snapshot, chain_id: int, found: Iterable[Row]) -> list[Row]:
    """Return the networks that the events name, with what their amounts are in."""
    named = {
        NetworkKey(chain_id, row["address"], row["network_id"]): None
        for row in found
        if row.get("network_id")
    }
    known = set(snapshot.network_keys())
    return [
        key._asdict() | {name: snapshot.network(key)[name] for name in ("name", "asset")}
        for key in named
        if key in known
    ]
