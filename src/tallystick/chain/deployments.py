"""Record of deployed contracts: deployments/<chain id>.json.

In the current folder, and in the user's data folder too, so that a deployment is found from any
folder; the current folder goes before it. TALLYSTICK_DEPLOYMENTS names one folder in place of both.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from web3 import Web3

from tallystick.chain.registry import Registry
from tallystick.errors import DeploymentError as DeploymentError
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import checksummed, from_hex

FOLDER = Path("deployments")
VERSION = 1
_PRIVATE = frozenset({1337, 31337})
"""Ids that private chains share: another day's chain is another one, known in its folder only."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployed contract."""

    name: str
    address: str
    """Checksummed."""
    block: int
    """Where its events begin."""
    transaction: str
    """Hash; empty when somebody else had deployed it."""
    code_hash: str
    """keccak256 of the code on this chain."""

    @property
    def address_bytes(self) -> bytes:
        """The address, 20 bytes."""
        return from_hex(self.address, 20, "address")


@dataclass(frozen=True, slots=True)
class Located:
    """A registry's address, and the block from which it is there."""

    registry: Registry
    first_block: int | None
    """That its events are read from; None: nobody has said, and its code will tell."""


def folders(chain_id: int | None = None) -> list[Path]:
    """Return where a chain's deployments are recorded and looked for, the first before the others.

    Args:
        chain_id: the chain; None: any that is not private.
    """
    named = os.environ.get("TALLYSTICK_DEPLOYMENTS")
    if named:
        return [Path(named)]
    if chain_id in _PRIVATE:
        return [FOLDER]
    return [FOLDER, _data_folder() / "deployments"]


def locate(w3: Web3, address: bytes | None = None, first_block: int | None = None) -> Located:
    """Return a chain's registry: the one that is named, else the latest recorded.

    Args:
        w3: connected.
        address: 20 bytes; None: as recorded.
        first_block: where its events begin; None: as recorded, if it is.

    Raises:
        DeploymentError: none is named nor recorded, or there is no contract at the address.
    """
    chain_id = w3.eth.chain_id
    if address is None:
        address = find(chain_id).address_bytes
    if not w3.eth.get_code(Web3.to_checksum_address(address)):
        raise DeploymentError(
            f"chain {chain_id} has no contract at {checksummed(address)}; "
            "run `ape tallystick deploy`, or name one with --registry"
        )
    if first_block is None:
        blocks = [one.block for one in read(chain_id) if one.address_bytes == address]
        # 0 is recorded where somebody else had deployed it.
        first_block = min(blocks, default=0) or None
    return Located(Registry(w3, address), first_block)


def read(chain_id: int) -> list[Deployment]:
    """Return what is recorded for a chain, the latest last; empty when nothing is."""
    found: dict[str, Deployment] = {}
    for folder in reversed(folders(chain_id)):
        for entry in _read(folder / f"{chain_id}.json"):
            # What is nearer goes before what is newer.
            found.pop(entry.address, None)
            found[entry.address] = entry
    return list(found.values())


def find(chain_id: int, name: str = "Tallystick") -> Deployment:
    """Return the latest deployment of this name on a chain; DeploymentError if there is none."""
    for entry in reversed(read(chain_id)):
        if entry.name == name:
            return entry
    files = " or ".join(str(folder / f"{chain_id}.json") for folder in folders(chain_id))
    raise DeploymentError(
        f"no {name} is recorded in {files}; run `ape tallystick deploy`, or name one with "
        "--registry"
    )


def record(chain_id: int, deployment: Deployment) -> Path:
    """Add a deployment, in place of an older one at its address; returns the first file."""
    first, *others = (folder / f"{chain_id}.json" for folder in folders(chain_id))
    _add(first, deployment)
    for path in others:
        # What is on chain and recorded here has not failed for want of a home that can be written.
        with contextlib.suppress(OSError):
            _add(path, deployment)
    return first


def _add(path: Path, deployment: Deployment) -> None:
    kept = [entry for entry in _read(path) if entry.address != deployment.address]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    entries = [asdict(entry) for entry in [*kept, deployment]]
    body = {"version": VERSION, "deployments": entries}
    unfinished.write_text(json.dumps(body, indent=2) + "\n")
    unfinished.replace(path)


def _read(path: Path) -> list[Deployment]:
    try:
        found = json.loads(path.read_text())
        version = found.get("version") if isinstance(found, dict) else None
        if wrong := unknown_version("list of deployments", version, VERSION):
            raise DeploymentError(f"{path}: {wrong}")
        return [Deployment(**entry) for entry in found["deployments"]]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DeploymentError(f"{path} cannot be read: {error}") from error


def _data_folder() -> Path:
    """Return where the user's own files are: TALLYSTICK_HOME, or the user's data folder."""
    named = os.environ.get("TALLYSTICK_HOME")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("tallystick", appauthor=False)
