"""Where things are in a data folder.

logs/chain_id=1/address=0x…/000000000000-000000009999.parquet    raw logs, a range of blocks each
manifest/1-0x….json                                              which of them, with block hashes
events/BatchCommitted/chain_id=1/address=0x…/….parquet           decoded, a file for each of logs/
transactions/chain_id=1/address=0x…/….parquet                    gas of the transactions of logs/
inferences/chain_id=1/address=0x…/<batch id>.parquet             leaves whose data were found
resolvers/1-0x….json                                             which contracts rules name
manifest/imported/10740-0x….json                                 that a core is another network's
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tallystick.extract.manifest import Manifest
from tallystick.hexes import from_hex, to_hex


@dataclass(frozen=True, slots=True, order=True)
class Core:
    """A contract on a chain."""

    chain_id: int
    address: bytes
    """20 bytes."""

    @property
    def folder(self) -> str:
        """Its partition, below the folder of a table."""
        return f"chain_id={self.chain_id}/address={to_hex(self.address)}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data folder.

    >>> Dataset(Path("data")).logs(Core(1, bytes(20))).as_posix()
    'data/logs/chain_id=1/address=0x0000000000000000000000000000000000000000'
    """

    root: Path

    def logs(self, core: Core) -> Path:
        """Folder of a core's raw logs."""
        return self.root / "logs" / core.folder

    def events(self, name: str, core: Core) -> Path:
        """Folder of a core's events of one name."""
        return self.root / "events" / name / core.folder

    def manifest(self, core: Core) -> Path:
        """File that says which logs are here."""
        return self.root / "manifest" / f"{core.chain_id}-{to_hex(core.address)}.json"

    def transactions(self, core: Core) -> Path:
        """Folder of the gas that a core's transactions used."""
        return self.root / "transactions" / core.folder

    def inferences(self, core: Core) -> Path:
        """Folder of the leaves of a core's batches."""
        return self.root / "inferences" / core.folder

    def resolvers(self, core: Core) -> Path:
        """File that says which contracts the rules of a core's networks name."""
        return self.root / "resolvers" / f"{core.chain_id}-{to_hex(core.address)}.json"

    def imported(self, core: Core) -> Path:
        """File that says that a core is another network's contract, and which contracts it has.

        What such a core's events count is an audit's finding; it keeps no counters of its own.
        """
        return self.root / "manifest" / "imported" / f"{core.chain_id}-{to_hex(core.address)}.json"

    def cores(self) -> list[Core]:
        """Return the cores whose logs are here, ascending by chain and address."""
        return sorted(self._cores())

    def read_manifest(self, core: Core) -> Manifest:
        """Return a core's manifest; FileNotFoundError when its logs were never extracted."""
        found = Manifest.read(self.manifest(core))
        if found is None:
            raise FileNotFoundError(f"{self.root} holds no logs of {core.folder}")
        return found

    def _cores(self) -> Iterator[Core]:
        for path in (self.root / "manifest").glob("*.json"):
            chain_id, _, address = path.stem.partition("-")
            yield Core(int(chain_id), from_hex(address, 20, "address"))
