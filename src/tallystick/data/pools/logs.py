"""A pool's logs in a data folder: who sat in each epoch's list, and who signed each audit."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallystick.chain.abi import contract, signature_hash
from tallystick.data.decode.words import DecodeError
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.manifest import Part
from tallystick.protocol.hexes import to_hex

_LEAST = 96
"""Bytes of data that each event has."""
_COLUMNS = ["block_number", "topic0", "topic1", "topic2", "topic3", "data"]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A key's seats in an epoch's list."""

    key: bytes
    account: str
    """Hex text."""
    epoch: int
    seats: int


@dataclass(frozen=True, slots=True)
class StoredAudit:
    """An audit on record."""

    batch_id: str
    """Hex text."""
    epoch: int
    """Of the list from which its panel was drawn."""
    keys: tuple[bytes, ...]


@cache
def topic(name: str) -> bytes:
    """Return the first topic of a pool's event, 32 bytes."""
    (entry,) = (one for one in contract("Pool").abi if one.get("name") == name)
    return signature_hash(entry)


def topics() -> list[str]:
    """Return the first topics of the events that are kept, as hex text."""
    return [to_hex(topic(name)) for name in ("Enrolled", "AuditStored")]


def enrolments(data: Dataset, pool: ContractKey, last_block: int) -> Iterator[Enrolment]:
    """Yield who enrolled, in the order of the chain.

    Args:
        data: the folder.
        pool: whose logs are there.
        last_block: later logs are left out.

    Raises:
        DecodeError: a log is not what the event's ABI says.
    """
    for row in _rows(data, pool, "Enrolled", last_block):
        yield Enrolment(
            row["topic1"][12:], to_hex(row["topic2"][12:]), _word(row["topic3"]), _at(row, 1)
        )


def audits(data: Dataset, pool: ContractKey, last_block: int) -> Iterator[StoredAudit]:
    """Yield the audits on record, in the order of the chain; arguments as of enrolments."""
    for row in _rows(data, pool, "AuditStored", last_block):
        yield StoredAudit(to_hex(row["topic1"]), _at(row, 1), _keys(row["data"]))


def _keys(data: bytes) -> tuple[bytes, ...]:
    """Return who signed; the code is listed, so that it has the ABI's plain layout."""
    start = _word(data[64:96]) + 32
    end = start + 32 * _word(data[start - 32 : start])
    if end > len(data):
        raise DecodeError(f"AuditStored holds {len(data)} bytes; needed: {end}")
    return tuple(data[at + 12 : at + 32] for at in range(start, end, 32))


def _rows(
    data: Dataset, pool: ContractKey, event: str, last_block: int
) -> Iterator[dict[str, bytes]]:
    folder = data.pool_logs
    for part in folder.read_manifest(pool).parts:
        if part.rows and part.first <= last_block:
            table = _table(folder.logs(pool) / part.name, part)
            wanted = pc.and_(
                pc.equal(table["topic0"], topic(event)),
                pc.less_equal(table["block_number"], last_block),
            )
            for row in table.filter(wanted).to_pylist():
                if None in row.values() or len(row["data"]) < _LEAST:
                    raise DecodeError(f"a log of {event} is not what the event's ABI says")
                yield row


def _table(path: Path, part: Part) -> pa.Table:
    try:
        return pq.read_table(path, columns=_COLUMNS)
    except (pa.ArrowException, OSError) as error:
        raise DecodeError(
            f"{path} is damaged; read its blocks again: `tallystick extract --repair "
            f"{part.first}:{part.last}`"
        ) from error


def _at(row: dict[str, bytes], place: int) -> int:
    """Return a word of a log's data."""
    return _word(row["data"][32 * place : 32 * place + 32])


def _word(word: bytes) -> int:
    return int.from_bytes(word, "big")
