"""The models of a core, from its events."""

from collections.abc import Sequence

from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception

from tallystick.chain.fold import EventSource, read_ledger
from tallystick.chain.registry import Registry
from tallystick.hub.errors import HubError
from tallystick.ledger import Model
from tallystick.progress import Progress


def read_models(
    rpcs: Sequence[str], core: bytes, first_block: int = 0, progress: Progress | None = None
) -> dict[bytes, Model]:
    """Return the registered models by their ids.

    Args:
        rpcs: JSON-RPC URLs, tried in turn.
        core: the registry's address, 20 bytes.
        first_block: of its deployment, or earlier.
        progress: called with blocks done and blocks in all.

    Raises:
        HubError: no node answers, or all leave out logs.
    """
    failures = []
    for url in rpcs:
        w3 = Web3(HTTPProvider(url, request_kwargs={"timeout": 30}))
        try:
            last = w3.eth.block_number
            source = EventSource(Registry(w3, core))
            return read_ledger([source], first_block, last, progress).models
        except (Web3Exception, OSError, ValueError) as error:
            failures.append(f"{url}: {' '.join(str(error).split())}")
    raise HubError("; ".join(failures))
