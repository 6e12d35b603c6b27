"""The node's view of the chain, and the batches that are its business."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tallystick.actions.chain_view import ChainView
from tallystick.chain.call import Call
from tallystick.chain.follower import Follower
from tallystick.chain.registry import Registry
from tallystick.node.settings import VerifierSettings as Settings
from tallystick.node.verifier.heads import Heads
from tallystick.node.verifier.membership import Membership
from tallystick.node.verifier.models import Models
from tallystick.node.verifier.pool.auditor import Auditor
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import DisputeKind, Grade, State
from tallystick.protocol.ledger import BatchState, Ledger
from tallystick.protocol.ledger import Model as RegisteredModel
from tallystick.protocol.rules import Rules


class DrawTerms(Protocol):
    """Terms of a draw."""

    @property
    def min_drawn(self) -> int:
        """Leaves that an audit draws at least, or all if fewer."""
        ...

    @property
    def seed_delay(self) -> int:
        """Blocks from the commit to the one whose hash is the seed."""
        ...


class Draws(Protocol):
    """A committee or a pool, which audits what the chain draws."""

    @property
    def address(self) -> bytes:
        """The contract, 20 bytes."""
        ...

    @property
    def terms(self) -> DrawTerms:
        """Fixed at deployment."""
        ...


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch as it stood when it was picked up."""

    record: BatchState
    rules: Rules
    model: RegisteredModel
    earlier: tuple[BatchState, ...]
    """Of its lane, still in their slots."""
    now: int
    """Unix seconds of the chain."""


class Watch:
    """The ledger, shared by threads; what is given out is a copy.

    Args:
        settings: the verifier's.
        registry: the contract.
        follower: keeps the ledger.
        address: the node's account, 20 bytes.
        models: that can be run here.
        memberships: one for each committee that the node may have a member in.
        heads: of the looks before.
        auditor: this node's key in a pool; None: it is in none.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        follower: Follower,
        address: bytes,
        models: Models,
        memberships: Sequence[Membership],
        heads: Heads,
        auditor: Auditor | None = None,
    ) -> None:
        self.registry, self.follower, self.address = registry, follower, address
        self.memberships, self._models = tuple(memberships), models
        self.auditor = auditor
        self._networks, self._heads = frozenset(settings.networks), heads
        self._lock = threading.Lock()
        self.looks = 0
        """Looks at the chain so far."""
        self.behind = 0
        """Blocks that the node was behind an earlier look; what it says of batches is old then."""

    def sync(self) -> None:
        """Read what is new."""
        with self._lock:
            self.follower.advance()
            self.looks += 1
            head = self.follower.head
            assert head is not None
            self.behind = self.follower.behind or self._heads.behind(
                head.number,
                lambda block: head.hash if block == head.number else self._hash(block),
            )

    @property
    def now(self) -> int:
        """Unix seconds; time of a block mined at the last look, 0 before it."""
        return self.follower.head.timestamp if self.follower.head else 0

    @property
    def clock(self) -> int:
        """Unix seconds; about the time of a block mined now, 0 before the first look."""
        return self.follower.head.now if self.follower.head else 0

    @property
    def latest(self) -> int:
        """Number of the latest block then, confirmed or not."""
        return self.follower.head.latest if self.follower.head else 0

    @property
    def head(self) -> int:
        """Number of the last block whose events are known."""
        return self.follower.head.number if self.follower.head else 0

    @property
    def _ledger(self) -> Ledger:
        return self.follower.ledger

    def has(self, batch_id: bytes) -> bool:
        """Return whether the chain has a batch."""
        with self._lock:
            return batch_id in self._ledger.batches

    def record(self, batch_id: bytes) -> BatchState | None:
        """Return a batch as the ledger has it, over or not; None: it has none of this id."""
        with self._lock:
            found = self._ledger.batches.get(batch_id)
            return replace(found) if found else None

    def live(self) -> list[bytes]:
        """Return the batches about which something can be done; with a clock running first."""
        with self._lock:
            live = [record.id for record in self._ledger.batches.values() if self._is_live(record)]
            live.sort(key=lambda key: self._ledger.batches[key].state is not State.DISPUTED)
            return live

    def open_batch(self, batch_id: bytes) -> OpenBatch | None:
        """Return a batch as it stands; None when nothing can be done about it here."""
        with self._lock:
            record = self._ledger.batches[batch_id]
            if not self._is_live(record) or record.batch.model_id not in self._models:
                return None
            lane = self._ledger.lanes[record.batch.network_id, record.batch.operator]
            held = (self._ledger.batches[key] for key in lane.slots.values())
            earlier = tuple(
                replace(one)
                for one in held
                if one.batch.index < record.batch.index and one.state is not State.REJECTED
            )
            model = self._ledger.models[record.batch.model_id]
            return OpenBatch(replace(record), self._rules(record), model, earlier, self.now)

    def membership_for(self, rules: Rules) -> Membership | None:
        """Return the membership that audits under these rules; not one of another arbiter."""
        membership = self._in(rules.attestors[Grade.AUDITED - 1])
        return membership if membership and membership.terms.arbiter == rules.arbiter else None

    def auditor_for(self, rules: Rules) -> Draws | None:
        """Return the committee or the pool that audits under these rules, if this node is in it.

        A pool audits where it is the arbiter itself, or its objective one is.
        """
        auditor = self.auditor
        if auditor is None or rules.attestors[Grade.AUDITED - 1] != auditor.address:
            return self.membership_for(rules)
        judges = {auditor.address, auditor.terms.replay} - {ZERO_ADDRESS}
        return auditor if rules.arbiter in judges else None

    def seed(self, record: BatchState, draws: Draws) -> bytes | None:
        """Return what a draw hangs on, 32 bytes; None while its block is to come."""
        return self.hash_after(_seed_block(record, draws))

    def hash_after(self, number: int) -> bytes | None:
        """Return the hash of a block that another one is on top of, 32 bytes; None: none is."""
        return self._hash(number) if self.latest > number else None

    def seed_time(self, open_batch: OpenBatch) -> int | None:
        """Return when a draw became known, Unix seconds of the chain; None while it is not.

        The node is asked anew: the last look may be a while ago.
        """
        draws = self.auditor_for(open_batch.rules)
        if draws is None:
            return None
        number = _seed_block(open_batch.record, draws)
        eth = self.registry.w3.eth
        return int(eth.get_block(number)["timestamp"]) if eth.block_number > number else None

    def seed_block(self, open_batch: OpenBatch) -> int | None:
        """Return the number of the block that a draw hangs on; None where nothing is drawn."""
        draws = self.auditor_for(open_batch.rules)
        return _seed_block(open_batch.record, draws) if draws else None

    def judge_for(self, rules: Rules) -> Membership | None:
        """Return the membership that rules under these rules, if their arbiter is its committee."""
        return self._in(rules.arbiter)

    def colleagues(self, rules: Rules) -> Membership | None:
        """Return the committee whose members look at the batches of a network, if one does."""
        return self.membership_for(rules) or self.judge_for(rules)

    def place(self) -> int | None:
        """Return the node's place in the first committee where it counts; None: in none."""
        members = (membership.member for membership in self.memberships)
        return next((member.index for member in members if member), None)

    def model(self, record: BatchState) -> RegisteredModel:
        """Return a batch's model, as registered."""
        with self._lock:
            return self._ledger.models[record.batch.model_id]

    def rules(self, record: BatchState) -> Rules:
        """Return the rules of a batch's network."""
        with self._lock:
            return self._rules(record)

    def call(self, move: Callable[[ChainView], Call]) -> Call:
        """Return a move's call by the ledger as it stands now; ActionError if it is not allowed."""
        with self._lock:
            return move(ChainView(self._ledger, self.now, self.address, self.registry))

    def challenges_open(self) -> list[BatchState]:
        """Return the batches with a pending dispute of this node's."""
        with self._lock:
            return [replace(record) for record in self._own_disputes()]

    def at_stake(self) -> int:
        """Return the bonds of those, in units of their assets."""
        with self._lock:
            bonds = 0
            for record in self._own_disputes():
                assert record.dispute is not None
                rules, challenged = self._rules(record), DisputeKind.CHALLENGE
                is_challenge = record.dispute.kind is challenged
                bonds += rules.challenge_bond if is_challenge else rules.demand_bond
            return bonds

    def batches_seen(self) -> int:
        """Return how many commits of others there were in the networks watched."""
        with self._lock:
            return sum(self._is_watched(record) for record in self._ledger.batches.values())

    def audited(self, membership: Membership) -> list[BatchState]:
        """Return the batches that a committee audited, and that are over."""
        with self._lock:
            return [
                replace(record)
                for record in self._ledger.batches.values()
                if record.state in (State.REJECTED, State.FINAL)
                and record.grade >= Grade.AUDITED
                and self._is_watched(record)
                and self.membership_for(self._rules(record)) is membership
            ]

    def credits(self) -> Mapping[bytes, int]:
        """Return what the registry owes the node, by asset, in its units; of networks watched."""
        with self._lock:
            if self._ledger.scope.is_whole:
                return {
                    asset: amount
                    for (asset, account), amount in self._ledger.credits.items()
                    if account == self.address
                }
            assets = {network.rules.asset for network in self._ledger.networks.values()}
        return {asset: self.registry.credit(asset, self.address) for asset in sorted(assets)}

    def _hash(self, block: int) -> bytes:
        return bytes(self.registry.w3.eth.get_block(block)["hash"])

    def _in(self, committee: bytes) -> Membership | None:
        return next(
            (membership for membership in self.memberships if membership.address == committee), None
        )

    def _own_disputes(self) -> list[BatchState]:
        return [
            record
            for record in self._ledger.batches.values()
            if record.dispute is not None and record.dispute.party == self.address
        ]

    def _is_live(self, record: BatchState) -> bool:
        if not self._is_watched(record):
            return False
        if record.state is State.DISPUTED:
            return True
        return record.state is State.OPEN and self.now < record.stamp.closes_at

    def _is_watched(self, record: BatchState) -> bool:
        if record.batch.operator == self.address:
            return False
        return not self._networks or record.batch.network_id in self._networks

    def _rules(self, record: BatchState) -> Rules:
        return self._ledger.networks[record.batch.network_id].rules


def _seed_block(record: BatchState, draws: Draws) -> int:
    return record.stamp.committed_block + draws.terms.seed_delay
