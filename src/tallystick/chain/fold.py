"""Events of a registry put in their place; one that has none is put to the registry itself.

An event is passed over only where the registry, asked at the event's block, doesn't know the
network: nobody may halt a reader by an event that means nothing. Where the registry knows it, the
node has left out logs: they are read again from another node, and a reading that no node completes
fails.
"""

import logging

from web3.exceptions import Web3Exception

from tallystick.chain.logs import Filter, decode_log, read_logs, topic_of
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.chain.rpc.provider import name_of
from tallystick.errors import LedgerError, MissingLogsError, UnknownEventError, UnknownNetworkError
from tallystick.protocol.events import Event, NetworkRegistered
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger

_LOG = logging.getLogger(__name__)


class EventSource:
    """A node that events of a registry are read from, and that the registry is asked at.

    Args:
        registry: the contract, at the node.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._unknown_to: dict[bytes, int] = {}
        """By network id: the last block at which the registry was found not to know it."""
        self._pruned_to = -1
        """The last block whose state the node was found not to have."""
        self._told = False

    def forget(self) -> None:
        """Ask anew: the chain was reorganised."""
        self._unknown_to, self._pruned_to = {}, -1

    def place(self, ledger: Ledger, event: Event, head: int) -> None:
        """Apply an event to a ledger, or pass it over where the registry doesn't know its network.

        Args:
            ledger: of the events before it.
            event: the next one.
            head: number of a block that is not before the event's, whose state the node has.

        Raises:
            MissingLogsError: the event follows from logs that were left out; the ledger is as it
                was.
            Web3Exception, OSError, ValueError: the registry cannot be asked.
        """
        try:
            ledger.apply(event)
        except UnknownNetworkError as error:
            if self._knows(error.network_id, event, head):
                raise self._missing(error, "the registry knows the network") from error
            ledger.pass_over(event)
            self._tell(error)
        except UnknownEventError:
            raise
        except LedgerError as error:
            raise self._missing(error, "it follows from others") from error

    def _knows(self, network_id: bytes, event: Event, head: int) -> bool:
        """Return whether the registry knew the network when it emitted the event."""
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
        wanted: Filter = [[to_hex(topic_of(NetworkRegistered))], [to_hex(network_id)]]
        found = read_logs(self.registry.w3, self.registry.address, block, block, [wanted])
        return any(decode_log(log).position.order > event.position.order for log in found)

    def _missing(self, error: LedgerError, why: str) -> MissingLogsError:
        where = name_of(self.registry.w3)
        return MissingLogsError(f"{error}; {why}: logs before it are missing at {where}")

    def _tell(self, error: UnknownNetworkError) -> None:
        """Log the first event that is passed over; how many there are, the ledger counts."""
        if not self._told:
            self._told = True
            _LOG.warning("events passed over, from %s; the registry knows no such network", error)


def knows(registry: Registry, network_id: bytes, block: int) -> bool:
    """Return whether a registry knows a network at the end of a block."""
    try:
        registry.read("ownerOf", network_id, block=block)
    except ContractError as error:
        if error.name == "NetworkNotFound":
            return False
        raise
    return True
