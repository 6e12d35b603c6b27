"""One model at a registry: as registered, its versions, who runs it, and who else registered it."""

from collections.abc import Mapping
from typing import Any

from tallystick.dashboard.batches import ENDINGS
from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import ModelKey, NetworkKey, condition
from tallystick.dashboard.snapshot import NotHereError, Snapshot
from tallystick.data.resolvers.kinds import GRADES
from tallystick.data.specs import UNKNOWN, KnownSpec

MOST = 100
"""Of its versions, and of registrations of its content: anybody may register any."""
_PLACE = "chain_id, address AS core, network_id::VARCHAR AS network_id"
_VERSIONS = f"""
WITH RECURSIVE older AS (
    SELECT model_id, parent FROM ModelRegistered WHERE {{of_model}}
    UNION
    SELECT m.model_id, m.parent FROM ModelRegistered m JOIN older ON m.model_id = older.parent
    WHERE m.chain_id = ? AND m.address = ?
), family AS (
    SELECT model_id FROM older
    UNION
    SELECT m.model_id FROM ModelRegistered m JOIN family ON m.parent = family.model_id
    WHERE m.chain_id = ? AND m.address = ?
)
SELECT {_PLACE}, model_id::VARCHAR AS model_id, parent, name, registrant, block_number, block_time,
    content_hash, spec_hash, count(*) OVER () AS total
FROM ModelRegistered
WHERE chain_id = ? AND address = ? AND model_id IN (SELECT model_id FROM family)
ORDER BY block_number, log_index
LIMIT {MOST}
"""
_SAME_CONTENT = f"""
SELECT {_PLACE}, model_id::VARCHAR AS model_id, count(*) OVER () AS total
FROM ModelRegistered WHERE content_hash = ? ORDER BY chain_id, block_number, log_index
LIMIT {MOST}
"""


def model(snapshot: Snapshot, key: ModelKey, specs: Mapping[str, KnownSpec]) -> Row:
    """Return what api_models.ModelInFull takes; NotHereError when nobody registered it.

    Args:
        snapshot: asked.
        key: the model's.
        specs: whose text is at hand, by their hash.
    """
    found = snapshot.once(("model", key), lambda: _model(snapshot, key))
    spec = specs.get(found["spec_hash"])
    return found | {
        "spec_kind": spec.kind.value if spec else UNKNOWN,
        "spec_terms": list(spec.terms) if spec else [],
    }


def model_keys(snapshot: Snapshot, most: int) -> list[ModelKey]:
    """Return models, those registered last first, and at most so many."""
    rows = snapshot.events.rows(
        "SELECT chain_id, address, model_id::VARCHAR FROM ModelRegistered "
        "ORDER BY block_number DESC, log_index DESC LIMIT ?",
        most,
    )
    return [ModelKey(*row.values()) for row in rows]


def _model(snapshot: Snapshot, key: ModelKey) -> Row:
    registered = snapshot.events.rows(
        f"SELECT network_id::VARCHAR AS network_id, block_time FROM ModelRegistered "
        f"WHERE {condition(key)}",
        *key,
    )
    if not registered:
        raise NotHereError(f"no event tells of model {key.model_id}")
    (row,) = registered
    network = NetworkKey(key.chain_id, key.core, row["network_id"])
    told = snapshot.network(network)
    (counted,) = (one for one in snapshot.models(network) if one["model_id"] == key.model_id)
    known = [grade for grade in GRADES.values() if told[f"standing_{grade}"] == "known"]
    of_registry = key[:2]
    same = _same_content(snapshot, counted["content_hash"])
    versions = snapshot.events.rows(
        _VERSIONS.format(of_model=condition(key)), *key, *of_registry * 3
    )
    return (
        network._asdict()
        | counted
        | {
            "block_time": row["block_time"],
            "network_name": told["name"],
            "resolvers": told["resolvers"],
            "batches": snapshot.batches.count(key),
            "known_verified": sum(counted[grade] for grade in known),
            "operators": _operators(snapshot, key),
            "versions": versions,
            "versions_total": versions[0]["total"],
            "same_content": same,
            "same_content_total": same[0]["total"],
        }
    )


def _operators(snapshot: Snapshot, key: ModelKey) -> list[Row]:
    sums = ", ".join(
        f"coalesce(sum(count) FILTER (ending = '{name}'), 0)::BIGINT AS {name}" for name in ENDINGS
    )
    rows = snapshot.events.rows(
        "SELECT operator::VARCHAR AS operator, count(*) AS batches, "
        f"sum(count)::BIGINT AS committed, {sums} FROM batches WHERE {condition(key)} GROUP BY 1",
        *key,
    )
    for row in rows:
        row["verified"] = sum(row[grade] for grade in GRADES.values())
    return sorted(rows, key=lambda row: (-row["verified"], row["operator"]))


def _same_content(snapshot: Snapshot, content_hash: str) -> list[Row]:
    """Return every registration of the same content, each with its network's name and counters."""
    rows: list[Any] = []
    for row in snapshot.events.rows(_SAME_CONTENT, content_hash):
        key = NetworkKey.of(row)
        (counted,) = (one for one in snapshot.models(key) if one["model_id"] == row["model_id"])
        told = snapshot.network(key)
        of_network = {"network_name": told["name"], "resolvers": told["resolvers"]}
        rows.append(counted | row | of_network)
    return rows
