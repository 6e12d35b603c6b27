"""Layout of OpenGradient's logs, keys and items in a data folder.

logs/chain_id=10740/address=<relay>/…                       the relay's raw logs, as any registry's
events/<event>/chain_id=10740/address=<relay>/…             what its settlements count as
manifest/imported/10740-<relay>.json                        that this registry is imported
opengradient/logs/chain_id=10740/address=<TEE registry>/…   the TEE registry's raw logs
opengradient/keys/10740-<TEE registry>.json                 enclaves' public keys
opengradient/items/chain_id=10740/address=<relay>/…         items of a batch's blob, examined
opengradient/settlements/chain_id=10740/address=<relay>/…   what the audit found, a row a settlement
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallystick.data.decode.columns import Layout
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import Extracted, ExtractPlan, extract
from tallystick.data.extract.schema import HASH, LOGS
from tallystick.opengradient.errors import AuditError
from tallystick.opengradient.registry import CHANGES, HEARTBEAT, REGISTERED, Keys, Validity
from tallystick.opengradient.relay import SETTLEMENTS, Settlement, settlements
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.progress import Progress
from tallystick.storage.durable import replace_file

MARK_VERSION = 1


@dataclass(frozen=True, slots=True)
class Folder:
    """One relay and the TEE registry that it goes by, in a data folder."""

    data: Dataset
    relay: ContractKey
    registry: ContractKey

    @classmethod
    def open(cls, data: Dataset, relay: bytes | None = None) -> "Folder":
        """Return the folder of a relay whose logs were extracted; None: the only one there is.

        Raises:
            AuditError: there is none, or more than one and none is named, or its mark is of another
                format version.
        """
        found = [
            _read_mark(path)
            for path in sorted((data.root / "manifest" / "imported").glob("*.json"))
        ]
        fitting = [one for one in found if relay in (None, one[0].address)]
        if len(fitting) != 1:
            told = f"{len(found)} relays" if relay is None or not found else "no such relay"
            raise AuditError(
                f"{data.root} has the logs of {told}; run `tallystick opengradient extract`, "
                "and name one of several by --relay"
            )
        return cls(data, *fitting[0])

    @property
    def side(self) -> Dataset:
        """The data set of the TEE registry's logs, beside the ones that are counted."""
        return Dataset(self.data.root / "opengradient")

    @property
    def keys(self) -> Keys:
        """Enclaves' public keys."""
        registry = self.registry
        name = f"{registry.chain_id}-{to_hex(registry.address)}.json"
        return Keys(self.side.root / "keys" / name)

    def items(self, content: bytes) -> Path:
        """File of the examined items of a batch, by Settlement.content."""
        return self.side.root / "items" / self.relay.folder / f"{content.hex()}.parquet"

    @property
    def audited(self) -> Path:
        """File of what the audit found."""
        return self.side.root / "settlements" / self.relay.folder / "audit.parquet"

    def settlements(self) -> list[Settlement]:
        """Return the relay's settlements, in the order of the chain.

        Raises:
            AuditError: the TEE registry's logs end before the relay's.
        """
        relay = self.data.read_manifest(self.relay).last_block
        registry = self.side.read_manifest(self.registry).last_block
        if registry < relay:
            raise AuditError(
                f"the TEE registry's logs end at block {registry}, the relay's at {relay}; "
                "run `tallystick opengradient extract` again"
            )
        return settlements(_logs(self.data, self.relay, SETTLEMENTS))

    def validity(self) -> Validity:
        """Return when each key was valid."""
        return Validity.of(_logs(self.side, self.registry, CHANGES))

    def signs_of_life(self) -> pa.Table:
        """Return the raw logs of registrations and heartbeats, of the schema LOGS."""
        return _logs(self.side, self.registry, (REGISTERED, HEARTBEAT))

    def mark(self) -> None:
        """Note that the relay's registry is imported."""
        body = {
            "version": MARK_VERSION,
            "network": "OpenGradient",
            "chain_id": self.relay.chain_id,
            "relay": to_hex(self.relay.address),
            "registry": to_hex(self.registry.address),
        }
        replace_file(self.data.imported(self.relay), (json.dumps(body, indent=1) + "\n").encode())


def extract_settlements(
    data: Dataset, plan: ExtractPlan, registry: bytes, progress: Progress | None = None
) -> tuple[Folder, Extracted, int]:
    """Bring relay, TEE registry and keys up to the chain's head.

    Args:
        data: the data folder.
        plan: its address is the relay's.
        registry: the TEE registry's address, 20 bytes.
        progress: told in blocks, of the relay and then of the registry.

    Returns:
        The folder, what was extracted of the relay, and how many keys came new.

    Raises:
        ExtractError: nodes refuse or fail.
    """
    done = extract(data, plan, progress)
    folder = Folder(data, done.contract, ContractKey(done.contract.chain_id, registry))
    # After the relay, so that its end lies no earlier: each settlement finds its keys.
    extract(folder.side, replace(plan, address=registry), progress)
    folder.mark()
    return folder, done, folder.keys.fetch(folder.registry, plan.urls, folder.validity().keys)


def _logs(data: Dataset, contract: ContractKey, events: Iterable[Layout]) -> pa.Table:
    """Return a contract's logs of some events; a registry has many more heartbeats than those."""
    topics = pa.array([event.topic0 for event in events], HASH)
    tables = [LOGS.empty_table()]
    for part in data.read_manifest(contract).parts:
        logs = pq.read_table(data.logs(contract) / part.name, schema=LOGS)
        tables.append(logs.filter(pc.is_in(logs["topic0"], topics)))
    return pa.concat_tables(tables).combine_chunks()


def _read_mark(path: Path) -> tuple[ContractKey, ContractKey]:
    found = json.loads(path.read_bytes())
    version = found.get("version") if isinstance(found, dict) else None
    if wrong := unknown_version("mark of an import", version, MARK_VERSION):
        raise AuditError(f"{path}: {wrong}")
    chain_id = found["chain_id"]
    relay, registry = from_hex(found["relay"], 20), from_hex(found["registry"], 20)
    return ContractKey(chain_id, relay), ContractKey(chain_id, registry)
