"""Growth of a data folder: newer blocks on top of the same logs, or another history."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.manifest import Part
from tallystick.data.totals.coverage import Coverage


@dataclass(frozen=True, slots=True)
class Held:
    """Logs that a folder held of a registry."""

    parts: tuple[Part, ...]
    """Empty: somebody was writing while they were read, so that nothing can be said."""
    tail: str
    """Hash over the logs of the last part, which is written anew when it grows; empty: it was not
    there to be read."""

    @property
    def last_block(self) -> int:
        """The last block that was covered."""
        return self.parts[-1].last


def held(data: Dataset, coverage: Sequence[Coverage]) -> dict[ContractKey, Held]:
    """Return what a folder holds of each registry."""
    return {one.contract: _held(data, one) for one in coverage}


def _held(data: Dataset, one: Coverage) -> Held:
    parts = tuple(data.read_manifest(one.contract).parts)
    if (parts[-1].last, parts[-1].boundary) != (one.last_block, one.boundary):
        return Held((), "")
    return Held(parts, _hash(data, one.contract, parts[-1], one.last_block))


def only_grew(
    data: Dataset, before: Mapping[ContractKey, Held], coverage: Sequence[Coverage]
) -> bool:
    """Return whether what a folder holds now begins with what it held before.

    False after a reorg or a repair that changed older logs, and where registries came or went.
    """
    if before.keys() != {one.contract for one in coverage}:
        return False
    return all(_begins(data, registry, known) for registry, known in before.items())


def _begins(data: Dataset, registry: ContractKey, known: Held) -> bool:
    if not known.parts:
        return False
    *whole, last = known.parts
    parts = data.read_manifest(registry).parts
    if parts[: len(whole)] != whole or len(parts) <= len(whole):
        return False
    now = parts[len(whole)]
    if now == last:
        return True
    grown = (now.first, now.parent) == (last.first, last.parent) and now.last > last.last
    return grown and known.tail != "" and _hash(data, registry, now, last.last) == known.tail


def _hash(data: Dataset, registry: ContractKey, part: Part, last_block: int) -> str:
    """Return a hash over a part's logs up to a block; empty: its file is not there."""
    try:
        logs = pq.read_table(data.logs(registry) / part.name)
    except FileNotFoundError:
        return ""
    # Dictionaries depend on what else a file holds.
    plain = pa.table(
        {
            field.name: column.cast(field.type.value_type)
            if pa.types.is_dictionary(field.type)
            else column
            for field, column in zip(logs.schema, logs.columns, strict=True)
        }
    )
    rows = plain.filter(pc.field("block_number") <= last_block).combine_chunks()
    written = pa.BufferOutputStream()
    with pa.ipc.new_stream(written, rows.schema) as stream:
        stream.write_table(rows)
    return hashlib.sha256(written.getvalue()).hexdigest()
