"""Times of the blocks that numbers are of."""

from dataclasses import dataclass

from tallystick.dashboard.snapshot import Snapshot
from tallystick.data.extract.dataset import Dataset
from tallystick.data.pools.state import SeatsAtBlock
from tallystick.data.totals.coverage import Coverage
from tallystick.data.totals.engines import EVENTS
from tallystick.protocol.hexes import to_hex

_NEWEST = """
SELECT max(block_number) AS block, max(block_time) AS time FROM ({})
WHERE chain_id = ? AND address = ?
"""


@dataclass(frozen=True, slots=True)
class BlockTime:
    """The last block of a registry, as far as the data folder has times."""

    chain_id: int
    core: str
    last_block: int
    last_time: int | None
    """Unix seconds; None: no event is in that block, and no pool was read at it."""
    newest_event: int | None
    """Unix seconds, of the newest event; None: there is none."""

    @property
    def of(self) -> tuple[int, str]:
        """The chain and the registry."""
        return self.chain_id, self.core

    @property
    def time(self) -> int | None:
        """The latest time that is known to have come."""
        return self.last_time if self.last_time is not None else self.newest_event


def block_times(snapshot: Snapshot) -> list[BlockTime]:
    """Return the time of each registry's last block."""
    return snapshot.once("block times", lambda: [_of(snapshot, one) for one in snapshot.coverage])


def _of(snapshot: Snapshot, held: Coverage) -> BlockTime:
    registry = held.contract
    core = to_hex(registry.address)
    (newest,) = snapshot.events.rows(_NEWEST.format(_every()), registry.chain_id, core)
    read = SeatsAtBlock.read(Dataset(snapshot.folder).pools(registry))
    time = read.block_time if read and read.is_of(held.last_block, held.boundary) else None
    if time is None and newest["block"] == held.last_block:
        time = newest["time"]
    return BlockTime(registry.chain_id, core, held.last_block, time, newest["time"])


def _every() -> str:
    """Return SQL for the blocks of all events."""
    return " UNION ALL ".join(
        f"SELECT chain_id, address, block_number, block_time FROM {name}" for name in EVENTS
    )
