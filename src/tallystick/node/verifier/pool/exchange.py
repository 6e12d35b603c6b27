"""Exchange of seals between a pool's members: a shared folder, or each other's nodes.

A node shows its own seals and looks for its colleagues', by name: what is of nobody on the panel is
never read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tallystick.node.log import get_log
from tallystick.node.verifier.peers import ask_peers
from tallystick.node.verifier.pool.seal import MAX_SIZE, Seal, SealError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.panel import Panel
from tallystick.storage.durable import replace_file

_LOG = get_log("pool")


class SealExchange(Protocol):
    """A place where seals are shown."""

    def show(self, seal: Seal) -> None:
        """Show one's own seal, in place of what was shown of it before."""
        ...

    def seen(self, panel: Panel) -> list[Seal]:
        """Return what others show for a panel, unchecked."""
        ...


class SealFolder:
    """A folder that all members can write to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def show(self, seal: Seal) -> None:
        """See SealExchange."""
        path = self._path(seal.panel_id, seal.seed, seal.key)
        body = seal.to_json()
        if path.exists() and path.read_bytes() == body:
            return
        # Others may read at any time.
        replace_file(path, body, shared=True)

    def seen(self, panel: Panel) -> list[Seal]:
        """See SealExchange."""
        found = []
        for entry in panel.places:
            path = self._path(panel.id, panel.seed, panel.entries[entry].key)
            try:
                with path.open("rb") as file:
                    found.append(Seal.from_json(file.read(MAX_SIZE + 1)))
            except FileNotFoundError:
                continue
            except (OSError, SealError) as error:
                _LOG.warning("unusable seal", file=str(path), reason=str(error))
        return found

    def _path(self, panel_id: bytes, seed: bytes, key: bytes) -> Path:
        return self._folder / "seals" / f"{panel_id.hex()}-{seed.hex()[:16]}" / f"{key.hex()}.json"


class SealPeers:
    """Other members' nodes, asked over HTTP. Showing is the server's part.

    Args:
        urls: of the nodes.
        timeout: seconds for one node's answer.
    """

    def __init__(self, urls: Sequence[str], timeout: float = 5.0) -> None:
        self._urls, self._timeout = list(urls), timeout

    def show(self, seal: Seal) -> None:
        """See SealExchange; others ask for what the journal has."""

    def seen(self, panel: Panel) -> list[Seal]:
        """See SealExchange."""
        target = f"seals/{to_hex(panel.id)}/{to_hex(panel.seed)}"
        return ask_peers(self._urls, target, Seal.from_json, MAX_SIZE, self._timeout, _LOG)
