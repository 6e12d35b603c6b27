"""Verified items of an enclave whose heartbeat had lapsed by the item's own time.

The registry calls an enclave active while its last heartbeat is fresh; its keys stay valid without.
So such items count, and are told beside: TEERegistry's own default is 1,800 seconds, and no event
tells when its administrator sets another.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.opengradient.audit import Audited
from tallystick.opengradient.blob_audit import read_items
from tallystick.opengradient.folder import Folder
from tallystick.opengradient.registry import HEARTBEAT, REGISTERED
from tallystick.opengradient.relay import of_event
from tallystick.protocol.hexes import from_hex

MAX_AGE = 1800
"""Seconds."""

Lives = dict[bytes, NDArray[np.int64]]
"""Unix seconds of registration and heartbeats by TEE id, ascending."""


def without_heartbeat(folder: Folder, results: Sequence[Audited], max_age: int = MAX_AGE) -> int:
    """Return how many verified items have no heartbeat, or registration, shortly before them.

    Args:
        folder: audited.
        results: of the audit.
        max_age: seconds that a heartbeat lasts.
    """
    lives = _lives(folder.signs_of_life())
    return sum(_lapsed(folder, one, lives, max_age) for one in results if len(one.counted))


def _lives(logs: pa.Table) -> Lives:
    found: dict[bytes, list[int]] = {}
    for event in (REGISTERED, HEARTBEAT):
        for row in of_event(logs, event).to_pylist():
            found.setdefault(from_hex(row["tee_id"]), []).append(row["block_time"])
    return {tee_id: np.array(sorted(times), np.int64) for tee_id, times in found.items()}


def _lapsed(folder: Folder, one: Audited, lives: Lives, max_age: int) -> int:
    item = one.settlement.item
    if item is not None:
        pairs = [(item.tee_id, item.timestamp)]
    else:
        table = read_items(folder, one.settlement, ["tee_id", "timestamp"])
        chosen = table.take(pa.array(one.counted))
        pairs = list(
            zip(chosen["tee_id"].to_pylist(), chosen["timestamp"].to_pylist(), strict=True)
        )
    return sum(not _alive(lives.get(bytes(tee_id)), time, max_age) for tee_id, time in pairs)


def _alive(times: NDArray[np.int64] | None, time: int, max_age: int) -> bool:
    if times is None:
        return False
    before = int(np.searchsorted(times, time, side="right"))
    return before > 0 and time - int(times[before - 1]) <= max_age
