"""An adapter: the declaration of one network, and the function that judges its decoded rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import pyarrow as pa

from tallystick.data.decode.columns import Layout
from tallystick.data.extract.calls import CALLS
from tallystick.data.extract.dataset import Dataset
from tallystick.networks.errors import AdapterError
from tallystick.networks.recovery import Signed, recover
from tallystick.protocol.progress import Progress

VERIFIED = ("enclave", "proven", "audited")
"""Verdicts that rest on evidence which was checked here again, from public data."""
VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "enclave": "a signature by a registered enclave's key was recovered here",
        "proven": "a proof was verified here",
        "audited": "the work was done again here",
        "chain-checked": "the network's own consensus or validators checked it; nobody else can",
        "opinion": "somebody whom the claimant chose has said something about it",
        "unchecked": "claimed, and nothing more",
        "rejected": "claimed, and shown wrong: by the network's own dispute, or by a check here",
        "unseen": "evidence that should exist was not to be had",
    }
)
"""The verdicts; each claim has one. Only those of VERIFIED are verified."""

JUDGED = pa.schema(
    [
        pa.field("day", pa.date32()),  # UTC; null: the network tells no time
        pa.field("chain_id", pa.int64(), nullable=False),  # 0: none of EIP-155
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
    ]
)
"""Claims by verdict; their sum is what the network claims."""


@dataclass(frozen=True, slots=True)
class ContractKind:
    """A contract of the network, wherever it is deployed.

    Args:
        events: those that are read.
        calls: names of events whose transactions' calldata is needed.
        fields: names of what the chain adds to transactions that is needed beside calldata.
        linked: the one of these fields that holds the hash of another transaction to fetch.
        name: to tell several kinds of one network apart.
    """

    events: tuple[Layout, ...]
    calls: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    linked: str | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if strangers := set(self.calls) - {one.name for one in self.events}:
            raise AdapterError(f"calls of {sorted(strangers)} are asked for, which are no events")


@dataclass(frozen=True, slots=True)
class Place:
    """A contract on a chain.

    Args:
        chain_id: EIP-155.
        address: 20 bytes; None: whatever contract emits the events.
        first_block: of its deployment, or earlier.
        kind: name of its ContractKind.
    """

    chain_id: int
    address: bytes | None
    first_block: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Decoded rows, as they are judged.

    Args:
        tables: of each event by name, in the order of their chains: its values, block_number,
            block_time, log_index, day, transaction_hash (hex text), chain_id, address (20 bytes).
        calls: of the schema CALLS.
        malformed: logs that are not what their event says; they are in no table.
        recover: as recovery.recover; of signatures that an earlier run met it looks them up.
    """

    tables: Mapping[str, pa.Table]
    calls: pa.Table = field(default_factory=CALLS.empty_table)
    malformed: int = 0
    recover: Callable[[Sequence[Signed]], list[bytes]] = recover


@dataclass(frozen=True, slots=True)
class Judged:
    """Findings.

    Args:
        table: of the schema JUDGED.
        measures: figures that no sum is made of, by name: distinct requesters, fees.
    """

    table: pa.Table
    measures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One network of a data folder, as it is followed.

    Args:
        data: the data folder of the network alone.
        root: the data folder that it is in.
        places: contracts that are read.
        rpcs: JSON-RPC URLs by chain id.
        depth: blocks below the latest to stop at; None: the finalized block.
        block_range: blocks of a file.
        options: what else the adapter was told.
        stage: gives a stage of work what it tells its progress to, by name and unit.
        repair: chain, first and last block of what is read once more; None: nothing.
    """

    data: Dataset
    root: Path
    places: tuple[Place, ...]
    rpcs: Mapping[int, tuple[str, ...]]
    depth: int | None = None
    block_range: int = 10_000
    options: Mapping[str, Any] = field(default_factory=dict)
    stage: Callable[[str], Progress] | None = None
    repair: tuple[int, int, int] | None = None


class Reader(Protocol):
    """Reads a network that is not read by its contracts' logs alone."""

    @property
    def options(self) -> frozenset[str]:
        """Names of the options that it takes."""
        ...

    def bring(self, run: Run) -> Mapping[int, int]:
        """Bring the folder up to date; return the last block, or epoch, by chain id."""
        ...

    def rows(self, run: Run) -> Rows:
        """Return what is in the folder."""
        ...


@dataclass(frozen=True, slots=True)
class Adapter:
    """A network that lives elsewhere.

    Args:
        name: by which commands and files call it, and its page in docs/networks.
        title: as people call it.
        unit: what one count is; counts of different units are never added or compared.
        claimed: what counts as claimed.
        checked: what is checked here, and how anyone does it again.
        cautions: what the numbers cannot say.
        kinds: of its contracts.
        places: of its contracts; a file of networks may name others.
        judge: gives each claim a verdict.
        reader: None: logs and calls of the places are read.
    """

    name: str
    title: str
    unit: str
    claimed: str
    checked: str
    judge: Callable[[Rows], Judged]
    cautions: tuple[str, ...] = ()
    kinds: tuple[ContractKind, ...] = ()
    places: tuple[Place, ...] = ()
    reader: Reader | None = None

    def __post_init__(self) -> None:
        names = [one.name for one in self.kinds]
        if len(set(names)) < len(names):
            raise AdapterError(f"{self.name} has two kinds of contracts of one name")
        for place in self.places:
            self.kind(place.kind)

    def kind(self, name: str) -> ContractKind:
        """Return a kind of its contracts; AdapterError when it has none of the name."""
        for one in self.kinds:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.kinds)
        raise AdapterError(f"{self.name} has no contracts of kind {name!r}; needed: {known}")


def check(name: str, judged: Judged) -> Judged:
    """Return findings; AdapterError when they use a word of their own, or are of another schema."""
    if judged.table.schema != JUDGED:
        raise AdapterError(f"{name} gives findings of another schema than JUDGED")
    if strangers := set(judged.table["verdict"].to_pylist()) - set(VERDICTS):
        raise AdapterError(f"{name} gives verdicts {sorted(strangers)}; needed: {list(VERDICTS)}")
    return judged
