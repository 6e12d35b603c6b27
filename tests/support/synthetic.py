"""A data folder as wide and as long as a busy chain's, written by DuckDB in seconds."""

import hashlib
import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tallystick.data.decode.decode import decode
from tallystick.data.decode.files import VERSION as DECODED
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.manifest import LogManifest, Part
from tallystick.data.extract.schema import LOGS
from tallystick.protocol.hexes import to_hex

REGISTRY = ContractKey(1, b"\xaa" * 20)
START = 1_735_689_600
"""2025-01-01."""
NETWORKS, OPERATORS, MODELS = 1_000, 5_000, 2_000
STAKE = 10**14

_ID = "'0x' || md5('{0}' || {1}) || md5({1} || '{0}')"
_LOW = "(hash(i) % 4294967296)::BIGINT"
_OUTCOME = "['unchallenged','audited','enclave','proven','unresolved'][1 + (hash(i + 1) % 5)::INT]"


def write(root: Path, events: int) -> Dataset:
    """Write about `events` events of 1,000 networks over a year into a new folder."""
    data = Dataset(root)
    blocks = events // 100 + 1
    _write(data, Part(0, blocks, "0x" + "00" * 32, "0x" + "11" * 32, events, "22" * 32), 0)
    return data


def add(data: Dataset, events: int) -> None:
    """Add about `events` newer events, of the same networks, operators and models."""
    held = data.read_manifest(REGISTRY)
    last, digest = held.parts[-1], hashlib.sha256(f"{held.rows}".encode()).hexdigest()
    first = last.last + 1
    part = Part(first, first + events // 100, last.boundary, "0x" + digest, events, digest)
    _write(data, part, held.rows)


def _write(data: Dataset, part: Part, before: int) -> None:
    """Write a part of about as many events as it says, after `before` older ones."""
    manifest = data.manifest(REGISTRY)
    older = data.read_manifest(REGISTRY).parts if manifest.exists() else []
    size = older[0].last + 1 if older else part.last + 1
    parts = [*older, part]
    LogManifest(REGISTRY.chain_id, REGISTRY.address, 0, size, parts).write(manifest)
    marks = manifest.parent / "decoded" / manifest.name
    marks.parent.mkdir(exist_ok=True)
    done = {one.name: one.sha256 for one in parts}
    marks.write_text(json.dumps({"version": DECODED, "parts": done}))
    connection = duckdb.connect()
    for name, empty in decode(LOGS.empty_table(), REGISTRY).items():
        folder = data.events(name, REGISTRY)
        folder.mkdir(parents=True, exist_ok=True)
        if name not in ROWS or (older and name.endswith("Registered")):
            if not older:
                pq.write_table(empty, folder / part.name)
            continue
        share, own = ROWS[name]
        rows = share if name.endswith("Registered") else part.rows * share // 100
        start = before * share // 100 if older else 0
        values = _place(name, part, rows, start) | own
        connection.register("shape", empty)
        columns = ", ".join(
            f"({values.get(column.name, _zero(str(column.type)))})::"
            f"{_kind(str(column.type))} AS {column.name}"
            for column in empty.schema
        )
        columns = columns.replace(" AS index", ' AS "index"')
        connection.execute(
            f"COPY (SELECT {columns} FROM range({start}, {start + rows}) t(i)) "
            f"TO '{folder / part.name}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
        )


def _place(name: str, part: Part, rows: int, start: int) -> dict[str, str]:
    counter = {"BatchRejected": "'rejected'", "ChallengeUpheld": "'burned'"}.get(name, _OUTCOME)
    counter = "'burned'" if name == "ChallengeLapsed" else counter
    network = _ID.format("n", "(i % 1000)::VARCHAR")
    prefix = f"'{REGISTRY.chain_id}:{to_hex(REGISTRY.address)}:' || {network} || ':' || "
    # The year is over with the first part; a later one is of the day after.
    days = f"(i * 365 // {rows})::INT" if not start else "365"
    seconds = f"i * 31536000 // {rows}" if not start else f"31536000 + i - {start}"
    return {
        "block_number": f"{part.first} + (i - {start}) * {part.last - part.first} // {rows}",
        "block_time": f"{START} + {seconds}",
        "log_index": "i % 100",
        "day": f"DATE '2025-01-01' + {days}",
        "transaction_hash": _ID.format(name, "i::VARCHAR"),
        "network_id": network,
        "operator": "'0x' || substr(md5((i % 5000)::VARCHAR) || '00000000', 1, 40)",
        "batch_id": _ID.format("b", "i::VARCHAR"),
        "counter": prefix + counter,
    }


def _kind(arrow: str) -> str:
    return {"string": "VARCHAR", "int64": "BIGINT", "int32": "INTEGER"}.get(
        arrow, {"bool": "BOOLEAN", "date32[day]": "DATE"}.get(arrow, "VARCHAR")
    )


def _zero(arrow: str) -> str:
    return {"string": "'0x' || repeat('0', 64)", "bool": "false"}.get(arrow, "0")


_BURNED = {"burned": "'0x' || lpad(to_hex(" + _LOW + "), 64, '0')", "burned_0": _LOW}
ROWS: dict[str, tuple[int, dict[str, str]]] = {
    "NetworkRegistered": (
        NETWORKS,
        {
            "owner": "'0x' || substr(md5(i::VARCHAR) || '00000000', 1, 40)",
            "name": "'network ' || i",
            "uri": "'https://network.example/' || i",
            "rules_stake_per_inference": f"'0x' || lpad(to_hex({STAKE}), 64, '0')",
            "rules_challenge_window": "86400",
            "rules_response_window": "21600",
            "rules_ruling_window": "43200",
            **{
                f"rules_{place}": "'0x' || repeat('0', 40)"
                for place in ("asset", "attestors_0", "attestors_1", "attestors_2", "arbiter")
            },
        },
    ),
    "ModelRegistered": (
        MODELS,
        {"model_id": _ID.format("m", "i::VARCHAR"), "name": "'model ' || i", "uri": "''"},
    ),
    "BatchCommitted": (
        74,
        {
            "model_id": _ID.format("m", f"(i % {MODELS})::VARCHAR"),
            "root": _ID.format("r", "i::VARCHAR"),
            "index": "i // 5000",
            "count": "1 + (hash(i + 2) % 1000)::BIGINT",
            "committed_block": "i // 100",
            "closes_at": f"{START} + i",
            "outcome": _OUTCOME,
            "finalized_count": "CASE WHEN i > 50000 AND hash(i + 3) % 2 = 0 "
            "THEN 1 + (hash(i - 50000 + 2) % 1000)::BIGINT ELSE 0 END",
            "finalized_id": "CASE WHEN i > 50000 AND hash(i + 3) % 2 = 0 "
            f"THEN {_ID.format('b', '(i - 50000)::VARCHAR')} ELSE '0x' || repeat('0', 64) END",
        },
    ),
    "BatchFinalized": (10, {"outcome": _OUTCOME, "count": "1 + (hash(i + 2) % 1000)::BIGINT"}),
    "BatchAttested": (5, {"grade": "'audited'"}),
    "BatchChallenged": (3, {"due": f"{START} + i"}),
    "BatchDemanded": (2, {"due": f"{START} + i"}),
    "ChallengeUpheld": (2, _BURNED),
    "ChallengeLapsed": (1, _BURNED),
    "LeafRevealed": (1, {}),
    "BatchRejected": (
        2,
        {"cause": "'ruling'", "count": "1 + (hash(i + 2) % 1000)::BIGINT", **_BURNED},
    ),
}
"""Percent of the events (of networks and models their number), and the columns that matter."""
