"""Logs of foreign contracts into rows; a log that is not what its event says harms no other.

Anybody may emit anything under an event's topic, so a scan of all addresses meets such logs.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.data.decode.columns import Layout
from tallystick.data.decode.decode import event_table
from tallystick.data.decode.words import DecodeError
from tallystick.data.extract.schema import ADDRESSED

_LATEST = 10**11
"""Unix seconds, in the year 5138; what is above counts milliseconds, as Ritual's blocks do."""

ORDER = [("chain_id", "ascending"), ("block_number", "ascending"), ("log_index", "ascending")]


def decode_event(layout: Layout, logs: pa.Table, chain_id: int) -> tuple[pa.Table, int]:
    """Return the rows of one event, see Rows.tables, and how many of its logs are malformed.

    Args:
        layout: the event's.
        logs: of the schema ADDRESSED, of any events.
        chain_id: of their chain.
    """
    logs = logs.filter(pc.equal(logs["topic0"], pa.scalar(layout.topic0))).combine_chunks()
    logs = _in_seconds(logs)
    sound = np.ones(len(logs), np.bool_)
    _find_malformed(layout, logs, sound, 0, len(logs))
    malformed = int((~sound).sum())
    if malformed:
        logs = logs.filter(pa.array(sound))
    table = event_table(layout, logs)
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table[field.name].cast(pa.string()))
    table = table.append_column("chain_id", pa.array(np.full(len(logs), chain_id), pa.int64()))
    return table.append_column("address", logs["address"]), malformed


def _in_seconds(logs: pa.Table) -> pa.Table:
    place, times = logs.schema.get_field_index("block_time"), logs["block_time"].to_numpy()
    seconds = np.where(times > _LATEST, times // 1000, times)
    return logs.set_column(place, logs.schema.field(place), pa.array(seconds, pa.int64()))


def joined(layout: Layout, tables: Iterable[pa.Table]) -> pa.Table:
    """Return the rows of one event of several contracts, in the order of their chains."""
    empty, _ = decode_event(layout, ADDRESSED.empty_table(), 0)
    return pa.concat_tables([empty, *tables]).combine_chunks().sort_by(ORDER)


def _find_malformed(
    layout: Layout, logs: pa.Table, sound: NDArray[np.bool_], first: int, last: int
) -> None:
    """Note the malformed ones of the logs first to last - 1, by halves."""
    try:
        event_table(layout, logs.slice(first, last - first))
    except DecodeError:
        if last - first == 1:
            sound[first] = False
            return
        middle = (first + last) // 2
        _find_malformed(layout, logs, sound, first, middle)
        _find_malformed(layout, logs, sound, middle, last)
