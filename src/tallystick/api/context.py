"""Context that the handles share: a registry at a node, who acts on it, and where data are kept."""

from dataclasses import dataclass
from pathlib import Path

from tallystick.actions.chain_view import ChainView
from tallystick.actions.submission.journal import SubmissionJournal
from tallystick.actions.submission.submitter import Submitter
from tallystick.chain.cache import ChainCache
from tallystick.chain.call import Call
from tallystick.chain.clock import pending_time
from tallystick.chain.follower import Follower
from tallystick.chain.lanes import find_lanes, scope_of
from tallystick.chain.registry import Registry
from tallystick.chain.sender import Sender, Sent
from tallystick.errors import ReadOnlyError
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.scope import Scope
from tallystick.storage.batch_store import BatchStore


@dataclass(frozen=True, slots=True)
class Context:
    """A connected registry."""

    registry: Registry
    actor: Sender | None
    """Who signs and sends; None: read only."""
    first_block: int
    """Of the registry's deployment, or earlier."""
    others: tuple[Registry, ...]
    """At further nodes, to read events from where the first leaves some out."""
    store: BatchStore
    """Where batch data go and come from."""
    receipts: Path
    """Folder of receipts, and of the journal of what was submitted."""

    @property
    def sender(self) -> Sender:
        """The sender of transactions; ReadOnlyError when nobody was named."""
        if self.actor is None:
            raise ReadOnlyError()
        return self.actor

    @property
    def now(self) -> int:
        """Unix seconds; time of a block mined now."""
        return pending_time(self.registry.w3)

    def ledger(self, scope: Scope) -> Ledger:
        """Return what a scope's events up to the latest block say; see Follower for errors."""
        follower = Follower(
            self.registry, self._first, others=self.others, scope=scope, cache=self._cache()
        )
        follower.advance()
        return follower.ledger

    def lane(self, network_id: bytes, operator: bytes) -> Ledger:
        """Return what the events of a lane say; see Follower for errors."""
        return self.ledger(Scope.lane(network_id, operator))

    def view(self, batch_id: bytes) -> ChainView:
        """Return the chain as it stands, for who acts on a batch: as far as its lane goes."""
        address = ZERO_ADDRESS if self.actor is None else self.actor.address
        lanes = find_lanes(self.registry, [batch_id], self._cache(), self._first)
        ledger = self.ledger(scope_of(lanes.values()))
        return ChainView(ledger, self.now, address, self.registry)

    def send(self, call: Call) -> Sent:
        """Send a call and wait until a block holds it.

        Raises:
            ReadOnlyError: nobody was named who could.
            ContractError: the contract refuses it.
        """
        return self.sender.send(call)

    def submitter(self, network_id: bytes, operator: bytes | None) -> Submitter:
        """Return what commits batches in a lane.

        Args:
            network_id: 32 bytes.
            operator: 20 bytes; None: the sender.
        """
        owner = self.sender.address if operator is None else operator
        return Submitter(
            self.registry,
            self.sender,
            lambda: self.lane(network_id, owner),
            lambda: self.now,
            self.store,
            SubmissionJournal.beside(self.receipts),
            self.receipts,
            operator,
        )

    @property
    def _first(self) -> int | None:
        return self.first_block or None

    def _cache(self) -> ChainCache:
        return ChainCache.of(self.registry.w3.eth.chain_id, self.registry.address)


def to_bytes(value: bytes | str, length: int, field: str) -> bytes:
    """Return an id or an address that is given as bytes or as hex text; FieldError for others."""
    return from_hex(value if isinstance(value, str) else value.hex(), length, field)
