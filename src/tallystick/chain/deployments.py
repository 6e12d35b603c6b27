"""What is deployed where: deployments/<chain id>.json."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tallystick.errors import TallystickError
from tallystick.hexes import from_hex

FOLDER = Path("deployments")


class DeploymentError(TallystickError, LookupError):
    """Nothing is recorded for a chain, or what is recorded cannot be read."""


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


def read(chain_id: int, folder: Path = FOLDER) -> list[Deployment]:
    """Return what is recorded for a chain; empty when nothing is."""
    path = folder / f"{chain_id}.json"
    try:
        return [Deployment(**entry) for entry in json.loads(path.read_text())]
    except FileNotFoundError:
        return []
    except (OSError, TypeError, ValueError) as error:
        raise DeploymentError(f"{path} cannot be read: {error}") from error


def find(chain_id: int, name: str = "Tallystick", folder: Path = FOLDER) -> Deployment:
    """Return the latest deployment of this name on a chain; DeploymentError if there is none."""
    for entry in reversed(read(chain_id, folder)):
        if entry.name == name:
            return entry
    raise DeploymentError(
        f"no {name} is recorded in {folder}/{chain_id}.json; run `ape run deploy` or name one"
    )


def record(chain_id: int, deployment: Deployment, folder: Path = FOLDER) -> Path:
    """Add a deployment, in place of an older one at its address; returns the file."""
    kept = [entry for entry in read(chain_id, folder) if entry.address != deployment.address]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{chain_id}.json"
    unfinished = path.with_suffix(".part")
    entries = [asdict(entry) for entry in [*kept, deployment]]
    unfinished.write_text(json.dumps(entries, indent=2) + "\n")
    unfinished.replace(path)
    return path
