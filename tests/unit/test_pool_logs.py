"""Logs of a pool out of a folder: as the ABI has them, up to a block, or refused.

audits      keys in order | later than the block | more keys than data | data too short | no topic
enrolments  key, account, epoch, seats
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from eth_abi.abi import encode

from tallystick.data.decode.words import DecodeError
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.manifest import LogManifest, Part
from tallystick.data.extract.schema import LOGS
from tallystick.data.pools.logs import Enrolment, StoredAudit, audits, enrolments, topic

POOL = ContractKey(1, b"p" * 20)
BATCH, NETWORK = b"b" * 32, b"n" * 32
KEYS = [bytes([number]) * 20 for number in (5, 3, 9)]


def word(value: bytes) -> bytes:
    return value.rjust(32, b"\0")


def stored(keys: list[bytes] = KEYS, epoch: int = 2976, block: int = 7) -> dict[str, Any]:
    kinds = ["bytes32", "uint256", "address[]", "bytes", "uint256", "address"]
    places = b"\1" * 8 * len(keys)
    data = encode(kinds, [b"s" * 32, epoch, keys, places, 3, b"a" * 20])
    return log("AuditStored", [BATCH, word(b"o" * 20), NETWORK], data, block)


def log(event: str, topics: list[bytes | None], data: bytes, block: int = 7) -> dict[str, Any]:
    return {
        "block_number": block,
        "block_time": 1,
        "block_hash": bytes(32),
        "transaction_hash": bytes(32),
        "transaction_index": 0,
        "log_index": block,
        "topic0": topic(event),
        **{f"topic{place}": one for place, one in enumerate(topics, 1)},
        "data": data,
    }


def folder(path: Path, *logs: dict[str, Any]) -> Dataset:
    data = Dataset(path)
    part = Part(0, 99, "", "", len(logs), "")
    data.pool_logs.logs(POOL).mkdir(parents=True)
    table = pa.Table.from_pylist(list(logs), schema=LOGS)
    pq.write_table(table, data.pool_logs.logs(POOL) / part.name)
    data.pool_logs.manifest(POOL).parent.mkdir(parents=True)
    LogManifest(1, POOL.address, 0, 100, [part]).write(data.pool_logs.manifest(POOL))
    return data


def test_audits__stored__are_told_with_their_keys_in_order(tmp_path: Path) -> None:
    data = folder(tmp_path, stored(), stored([], block=8), stored(block=9))

    found = list(audits(data, POOL, 8))

    batch = "0x" + BATCH.hex()
    assert found == [StoredAudit(batch, 2976, tuple(KEYS)), StoredAudit(batch, 2976, ())]


def test_enrolments__enrolled__are_told_by_key_and_account(tmp_path: Path) -> None:
    amounts = encode(["uint256"] * 3, [100, 12, 2])
    topics = [word(KEYS[0]), word(KEYS[1]), (2977).to_bytes(32, "big")]
    data = folder(tmp_path, stored(), log("Enrolled", topics, amounts))

    (found,) = enrolments(data, POOL, 99)

    assert found == Enrolment(KEYS[0], "0x" + KEYS[1].hex(), 2977, 12)


@pytest.mark.parametrize("size", [0, 64, 192, 224, 256, 319])
def test_audits__data_cut_short__are_refused(tmp_path: Path, size: int) -> None:
    whole = stored()
    assert len(whole["data"]) > 319

    with pytest.raises(DecodeError):
        list(audits(folder(tmp_path, whole | {"data": whole["data"][:size]}), POOL, 99))


def test_audits__endless_keys__are_refused_at_once(tmp_path: Path) -> None:
    data = stored()["data"]
    endless = data[: 6 * 32] + b"\xff" * 32 + data[7 * 32 :]

    with pytest.raises(DecodeError, match="AuditStored holds"):
        list(audits(folder(tmp_path, stored() | {"data": endless}), POOL, 99))


def test_audits__topic_missing__is_refused(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="not what the event's ABI says"):
        list(audits(folder(tmp_path, stored() | {"topic3": None}), POOL, 99))
