"""Search: networks, models, accounts, batches and so on, by a name, an address, an id or a hash."""

import re
from typing import Any

from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.snapshot import Snapshot
from tallystick.data.resolvers.kinds import PLACES
from tallystick.data.resolvers.standing import NONE
from tallystick.data.totals.engines import EVENTS

MOST = 5
"""Of a kind."""
_HEX = re.compile("0x[0-9a-f]{4,64}")
"""Fewer digits stand for too much."""
_REGISTRY = "chain_id, address AS core"
_WHOLE = len("0x") + 64
_PLACE = f"{_REGISTRY}, network_id::VARCHAR AS network_id"
_ESCAPED = str.maketrans({"%": "\\%", "_": "\\_", "\\": "\\\\"})


def search(snapshot: Snapshot, words: str) -> list[Row]:
    """Return what fits some words, the networks first: rows of schemas.Hit.

    Args:
        snapshot: searched.
        words: part of a name, or how an id begins: four digits at least, but for a network's.
    """
    asked = words.strip().lower()
    if not asked:
        return []
    found = _networks(snapshot, asked)
    pattern = asked.translate(_ESCAPED)
    found += _rows(
        snapshot,
        f"SELECT 'model' AS kind, name AS title, model_id::VARCHAR AS id, {_PLACE} "
        "FROM ModelRegistered WHERE lower(name) LIKE ? ESCAPE '\\' OR model_id LIKE ? ESCAPE '\\'",
        f"%{pattern}%",
        f"{pattern}%",
    )
    if not _HEX.fullmatch(asked):
        return found
    begins = f"{asked}%"
    found += _rows(
        snapshot,
        f"SELECT DISTINCT 'operator' AS kind, '' AS title, operator::VARCHAR AS id, {_REGISTRY} "
        "FROM (SELECT operator, chain_id, address FROM BatchCommitted "
        "UNION SELECT operator, chain_id, address FROM Staked) WHERE operator::VARCHAR LIKE ?",
        begins,
    )
    found += _rows(
        snapshot,
        f"SELECT DISTINCT 'requester' AS kind, '' AS title, requester AS id, {_REGISTRY} "
        "FROM inferences WHERE solicited AND requester LIKE ?",
        begins,
    )
    named = ", ".join(f"rules_{place}" for place in PLACES)
    found += _rows(
        snapshot,
        f"SELECT DISTINCT 'resolver' AS kind, '' AS title, resolver AS id, {_REGISTRY} FROM ("
        f"SELECT chain_id, address, unnest([{named}]) AS resolver FROM NetworkRegistered"
        f") WHERE resolver <> '{NONE}' AND resolver LIKE ?",
        begins,
    )
    for kind, column in (("batch", "batch_id"), ("transaction", "transaction_hash")):
        found += _rows(
            snapshot,
            f"SELECT '{kind}' AS kind, '' AS title, {column} AS id, batch_id, {_PLACE} "
            f"FROM BatchCommitted WHERE {column} LIKE ?",
            begins,
        )
    if len(asked) == _WHOLE and not found:
        # To look for a part of a hash in every event would take long.
        every = " UNION ".join(
            f"SELECT chain_id, address, transaction_hash FROM {name} WHERE transaction_hash = ?"
            for name in EVENTS
        )
        found += _rows(
            snapshot,
            f"SELECT 'transaction' AS kind, '' AS title, transaction_hash AS id, {_REGISTRY} "
            f"FROM ({every})",
            *[asked] * len(EVENTS),
        )
    return found


def _networks(snapshot: Snapshot, asked: str) -> list[Row]:
    fits = [
        row
        for row in snapshot.networks()
        if asked in row["name"].lower() or row["network_id"].startswith(asked)
    ]
    return [
        {"kind": "network", "title": row["name"], "id": row["network_id"]}
        | {name: row[name] for name in NetworkKey._fields}
        for row in fits[:MOST]
    ]


def _rows(snapshot: Snapshot, query: str, *parameters: Any) -> list[Row]:
    return snapshot.events.rows(f"{query} ORDER BY id LIMIT {MOST}", *parameters)
