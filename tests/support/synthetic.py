"""A data folder as wide and as long as a busy chain's, written by DuckDB in seconds."""

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
    part = Part(0, blocks, "0x" + "00" * 32, "0x" + "11" * 32, events, "22" * 32)
    LogManifest(REGISTRY.chain_id, REGISTRY.address, 0, blocks + 1, [part]).write(
        data.manifest(REGISTRY)
    )
    marks = data.manifest(REGISTRY).parent / "decoded" / data.manifest(REGISTRY).name
    marks.parent.mkdir()
    marks.write_text(f'{{"version": {DECODED}, "parts": {{"{part.name}": "{part.sha256}"}}}}')
    connection = duckdb.connect()
    tables = decode(LOGS.empty_table(), REGISTRY)
    for name, empty in tables.items():
        folder = data.events(name, REGISTRY)
        folder.mkdir(parents=True)
        if name not in ROWS:
            pq.write_table(empty, folder / part.name)
            continue
        share, own = ROWS[name]
        rows = share if name.endswith("Registered") else events * share // 100
        values = _place(name, rows, blocks) | own
        connection.register("shape", empty)
        columns = ", ".join(
            f"({values.get(column.name, _zero(str(column.type)))})::"
            f"{_kind(str(column.type))} AS {column.name}"
            for column in empty.schema
        )
        columns = columns.replace(" AS index", ' AS "index"')
        connection.execute(
            f"COPY (SELECT {columns} FROM range({rows}) t(i)) TO '{folder / part.name}' "
            "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
        )
    return data


def _place(name: str, rows: int, blocks: int) -> dict[str, str]:
    counter = {"BatchRejected": "'rejected'", "ChallengeUpheld": "'burned'"}.get(name, _OUTCOME)
    counter = "'burned'" if name == "ChallengeLapsed" else counter
    network = _ID.format("n", "(i % 1000)::VARCHAR")
    prefix = f"'{REGISTRY.chain_id}:{to_hex(REGISTRY.address)}:' || {network} || ':' || "
    return {
        "block_number": f"i * {blocks} // {rows}",
        "block_time": f"{START} + i * 31536000 // {rows}",
        "log_index": "i % 100",
        "day": f"DATE '2025-01-01' + (i * 365 // {rows})::INT",
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
