"""The ledger of a core, as nodes tell its events; what cannot be placed is put to the core itself.

An event is passed over only where the core, asked at the event's block, doesn't know the network:
nobody may halt a reader by an event that means nothing. Where the core knows it, the node has left
out logs: they are read again from another node, and a reading that no node completes fails.
"""

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

from web3.exceptions import Web3Exception

from tallystick.chain.logs import LogError, read_events
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.errors import LedgerError, MissingLogsError, UnknownEventError, UnknownNetworkError
from tallystick.events import Event, NetworkRegistered
from tallystick.ledger import Ledger
from tallystick.progress import Progress

_LOG = logging.getLogger(__name__)


class EventSource:
    """A node that events of a core are read from, and that the core is asked at.

    Args:
        registry: the core, at the node.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._unknown_to: dict[bytes, int] = {}
        """By network id: the last block at which the core was found not to know it."""
        self._pruned_to = -1
        """The last block whose state the node was found not to have."""
        self._told = False

    def forget(self) -> None:
        """Ask anew: the chain was reorganised."""
        self._unknown_to, self._pruned_to = {}, -1

    def place(self, ledger: Ledger, event: Event, head: int) -> None:
        """Apply an event to a ledger, or pass it over where the core doesn't know its network.

        Args:
            ledger: of the events before it.
            event: the next one.
            head: number of a block that is not before the event's, whose state the node has.

        Raises:
            MissingLogsError: the event follows from logs that were left out; the ledger is as it
                was.
            Web3Exception, OSError, ValueError: the core cannot be asked.
        """
        try:
            ledger.apply(event)
        except UnknownNetworkError as error:
            if self._knows(error.network_id, event, head):
                raise self._missing(error, "the core knows the network") from error
            ledger.pass_over(event)
            self._tell(error)
        except UnknownEventError:
            raise
        except LedgerError as error:
            raise self._missing(error, "it follows from others") from error

    def _knows(self, network_id: bytes, event: Event, head: int) -> bool:
        """Return whether the core knew the network when it emitted the event."""
        block = event.position.block_number
        if self._unknown_to.get(network_id, -1) >= block:
            return False
        known, asked = self._ask(network_id, block, head)
        if not known:
            self._unknown_to[network_id] = asked
            return False
        # At its block's end; the network may have been registered behind the event, in this block.
        return asked != block or not self._is_registered_behind(network_id, event)

    def _ask(self, network_id: bytes, block: int, head: int) -> tuple[bool, int]:
        """Return whether a block knows a network, and which was asked: the head if its state is
        gone.

        Networks are for good: one that the head doesn't know, no block before it does.
        """
        if block > self._pruned_to:
            try:
                return knows(self.registry, network_id, block), block
            except (Web3Exception, ValueError):
                if block == head:
                    raise
                self._pruned_to = block
        return knows(self.registry, network_id, head), head

    def _is_registered_behind(self, network_id: bytes, event: Event) -> bool:
        block = event.position.block_number
        registered = (
            found.position.order
            for found in read_events(self.registry.w3, self.registry.address, block, block)
            if isinstance(found, NetworkRegistered) and found.network_id == network_id
        )
        return any(order > event.position.order for order in registered)

    def _missing(self, error: LedgerError, why: str) -> MissingLogsError:
        where = endpoint(self.registry)
        return MissingLogsError(f"{error}; {why}: logs before it are missing at {where}")

    def _tell(self, error: UnknownNetworkError) -> None:
        """Log the first event that is passed over; how many there are, the ledger counts."""
        if not self._told:
            self._told = True
            _LOG.warning("events passed over, from %s; the core knows no such network", error)


def read_ledger(
    sources: Sequence[EventSource],
    first: int,
    last: int,
    progress: Progress | None = None,
    events: list[Event] | None = None,
) -> Ledger:
    """Return what the events of a block range say.

    Args:
        sources: nodes of one chain; the next one is asked where the one before left out logs. One
            alone is asked twice: a URL may stand for several machines.
        first: first block, the core's own or an earlier one.
        last: last block, included.
        progress: called with blocks done and blocks in all.
        events: to which those that were read are added.

    Raises:
        MissingLogsError: every node left out logs; names the first event that shows it.
        LogError: a node gave logs that were not asked for.
        Web3Exception, OSError, ValueError: the first node fails.
    """
    digest: bytes | None = None
    missing: MissingLogsError | None = None
    for source in sources if len(sources) > 1 else [*sources, *sources]:
        ledger, read = Ledger(), []
        try:
            here = _hash(source, last)
            digest = digest or here
            if here != digest:
                continue
            for event in read_events(
                source.registry.w3, source.registry.address, first, last, progress
            ):
                source.place(ledger, event, last)
                read.append(event)
        except MissingLogsError as error:
            missing = missing or error
        except (Web3Exception, OSError, ValueError, LogError):
            if missing is None:
                raise
        else:
            if events is not None:
                events += read
            return ledger
    assert missing is not None
    raise missing


def _hash(source: EventSource, block: int) -> bytes:
    return bytes(source.registry.w3.eth.get_block(block)["hash"])


def knows(registry: Registry, network_id: bytes, block: int) -> bool:
    """Return whether a core knows a network at the end of a block."""
    try:
        registry.read("ownerOf", network_id, block=block)
    except ContractError as error:
        if error.name == "NetworkNotFound":
            return False
        raise
    return True


def endpoint(registry: Registry) -> str:
    """Return the host of a core's node; the rest of a URL may hold a key."""
    provider = registry.w3.provider
    # Ape connects by a provider that holds the one it found.
    provider = getattr(provider, "_active_provider", None) or provider
    url = getattr(provider, "endpoint_uri", None)
    return (urlsplit(str(url)).netloc.rpartition("@")[2] if url else "") or "the node"
