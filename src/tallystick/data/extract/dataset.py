"""Layout of a data folder.

logs/chain_id=1/address=0x…/000000000000-000000009999.parquet    raw logs, a range of blocks each
manifest/1-0x….json                                              which of them, with block hashes
manifest/gaps/1-0x….json                                         which logs are missing
events/BatchCommitted/chain_id=1/address=0x…/….parquet           decoded, a file for each of logs/
transactions/chain_id=1/address=0x…/….parquet                    gas of the transactions of logs/
calls/chain_id=1/address=0x…/….parquet                           calldata of transactions of logs/
inferences/chain_id=1/address=0x…/<batch id>.parquet             leaves whose data were found
resolvers/1-0x….json                                             which contracts rules name
pools/1-0x….json                                                 seats of those that are pools
pools/logs/chain_id=1/address=0x…/….parquet                      a pool's logs, as of a registry
pools/manifest/1-0x….json                                        which of them
manifest/imported/10740-0x….json                                 that it is another network's
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tallystick.data.extract.manifest import LogManifest
from tallystick.protocol.hexes import from_hex, to_hex


@dataclass(frozen=True, slots=True, order=True)
class ContractKey:
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

    >>> Dataset(Path("data")).logs(ContractKey(1, bytes(20))).as_posix()
    'data/logs/chain_id=1/address=0x0000000000000000000000000000000000000000'
    """

    root: Path

    def logs(self, registry: ContractKey) -> Path:
        """Folder of a registry's raw logs."""
        return self.root / "logs" / registry.folder

    def events(self, name: str, registry: ContractKey) -> Path:
        """Folder of a registry's events of one name."""
        return self.root / "events" / name / registry.folder

    def manifest(self, registry: ContractKey) -> Path:
        """File that says which logs are here."""
        return self.root / "manifest" / f"{registry.chain_id}-{to_hex(registry.address)}.json"

    def gaps(self, registry: ContractKey) -> Path:
        """File that says which logs are proved to be missing."""
        return (
            self.root / "manifest" / "gaps" / f"{registry.chain_id}-{to_hex(registry.address)}.json"
        )

    def transactions(self, registry: ContractKey) -> Path:
        """Folder of the gas that a registry's transactions used."""
        return self.root / "transactions" / registry.folder

    def calls(self, contract: ContractKey) -> Path:
        """Folder of the calldata of a contract's transactions."""
        return self.root / "calls" / contract.folder

    def inferences(self, registry: ContractKey) -> Path:
        """Folder of the leaves of a registry's batches."""
        return self.root / "inferences" / registry.folder

    def resolvers(self, registry: ContractKey) -> Path:
        """File that says which contracts the rules of a registry's networks name."""
        return self.root / "resolvers" / f"{registry.chain_id}-{to_hex(registry.address)}.json"

    def pools(self, registry: ContractKey) -> Path:
        """File that says how many seats the pools of a registry have at its last block."""
        return self.pool_logs.root / f"{registry.chain_id}-{to_hex(registry.address)}.json"

    @property
    def pool_logs(self) -> "Dataset":
        """Folder of the raw logs of pools, laid out as those of registries."""
        return Dataset(self.root / "pools")

    def imported(self, registry: ContractKey) -> Path:
        """File that says that a registry is another network's contract, and which contracts it has.

        What such a registry's events count is an audit's finding; it keeps no counters of its own.
        """
        return (
            self.root
            / "manifest"
            / "imported"
            / f"{registry.chain_id}-{to_hex(registry.address)}.json"
        )

    def registries(self) -> list[ContractKey]:
        """Return the registries whose logs are here, ascending by chain and address."""
        return sorted(self._registries())

    def read_manifest(self, registry: ContractKey) -> LogManifest:
        """Return a registry's manifest; FileNotFoundError when its logs were never extracted."""
        found = LogManifest.read(self.manifest(registry))
        if found is None:
            raise FileNotFoundError(f"{self.root} holds no logs of {registry.folder}")
        return found

    def _registries(self) -> Iterator[ContractKey]:
        for path in (self.root / "manifest").glob("*.json"):
            chain_id, _, address = path.stem.partition("-")
            yield ContractKey(int(chain_id), from_hex(address, 20, "address"))
