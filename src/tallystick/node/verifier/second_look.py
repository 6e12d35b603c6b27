"""Facts about a dispute that are read twice before a leaf is called wrong for good.

A verdict can't be taken back, and one node's answers can be of a fork that dies, of two backends at
once, or made up. So what a verdict rests on is read at one block, whose hash is the same before and
after; again at a later look; and at every other node that is set and that has come as far.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.registry import Registry
from tallystick.errors import TallystickError
from tallystick.node.log import get_log
from tallystick.protocol.enums import State
from tallystick.protocol.ledger import BatchState

_LOG = get_log("second look")


class UnsteadyError(TallystickError, RuntimeError):
    """A node changed its mind about a block while it was read."""


class NodeBehindError(TallystickError, RuntimeError):
    """A node has not come as far as what was read before."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A batch as one node has it."""

    committed_in: bytes
    """Hash of the block of its commit."""
    state: State
    """By its whole pre-image, the dispute included."""
    seed: bytes
    """Hash of the block that a draw hangs on; empty while it is to come, or where there is none."""

    @classmethod
    def read(
        cls, registry: Registry, record: BatchState, seed_block: int | None, least: int
    ) -> "Facts":
        """Read a batch at a node's latest block.

        Args:
            registry: the registry at the node.
            record: the batch.
            seed_block: number of the block that its draw hangs on, if there is one.
            least: number of a block that the node has to have.

        Raises:
            NodeBehindError: it has not come so far.
            UnsteadyError: it has another block at that height afterwards.
            Web3Exception, OSError, ValueError: it failed.
        """
        w3 = registry.w3
        number = w3.eth.block_number
        if number < least:
            raise NodeBehindError(f"the node is behind: its latest block is {number} of {least}")
        head = _hash(w3, number)
        is_drawn = seed_block is not None and number > seed_block
        found = cls(
            _hash(w3, record.committed.block_number),
            registry.state_of(record.pre_image, block=number),
            _hash(w3, seed_block) if is_drawn and seed_block is not None else b"",
        )
        if _hash(w3, number) != head:
            raise UnsteadyError(f"block {number} became another one while it was read")
        return found

    def agrees(self, other: "Facts") -> bool:
        """Return whether both are of one chain; one may know a seed that the other does not."""
        same = (self.committed_in, self.state) == (other.committed_in, other.state)
        return same and (self.seed == other.seed or not self.seed or not other.seed)


class SecondLook:
    """Facts as they were at the look before; threads may share one.

    Args:
        registry: the registry, at the node that is followed.
        others: the registry at further nodes.
    """

    def __init__(self, registry: Registry, others: Sequence[Registry] = ()) -> None:
        self._registry, self._others = registry, tuple(others)
        self._before: dict[tuple[bytes, int], tuple[int, Facts]] = {}
        self._lock = threading.Lock()

    def stands(self, record: BatchState, seed_block: int | None, head: int, look: int) -> bool:
        """Return whether a dispute is, at every node, as it was at an earlier look.

        Args:
            record: the batch, disputed.
            seed_block: number of the block that its draw hangs on, if there is one.
            head: number of the block that the record was read at.
            look: tells looks apart; a later one has a larger number.

        Raises:
            NodeBehindError, UnsteadyError: as of Facts.read.
            Web3Exception, OSError, ValueError: the node failed.
        """
        assert record.dispute is not None
        facts = Facts.read(self._registry, record, seed_block, head)
        key = record.id, record.dispute.due
        with self._lock:
            since, before = self._before.get(key, (look, facts))
            is_same = before.agrees(facts)
            self._before[key] = (since if is_same else look, facts)
        reason = ""
        if not is_same:
            reason = "the node says something else now"
        elif facts.state is not State.DISPUTED:
            reason = "the registry knows no such dispute"
        elif not all(self._agrees(one, record, seed_block, head, facts) for one in self._others):
            reason = "another node disagrees"
        if reason:
            _LOG.warning("a verdict waits", batch=record.id, reason=reason)
        return not reason and since < look

    def _agrees(
        self,
        registry: Registry,
        record: BatchState,
        seed_block: int | None,
        head: int,
        ours: Facts,
    ) -> bool:
        try:
            return Facts.read(registry, record, seed_block, head).agrees(ours)
        except (NodeBehindError, Web3Exception, OSError, ValueError) as error:
            # It says nothing, which is no reason to say nothing either.
            _LOG.info("a further node is of no use", reason=" ".join(str(error).split()))
            return True


def _hash(w3: Web3, number: int) -> bytes:
    return bytes(w3.eth.get_block(number)["hash"])
