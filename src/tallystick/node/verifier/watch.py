"""What a node knows of the chain, and which batches are its business."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.enums import DisputeKind, Grade, State
from tallystick.ledger import BatchRecord, Ledger
from tallystick.ledger import Model as RegisteredModel
from tallystick.moves.board import Board
from tallystick.network import Rules
from tallystick.node.settings import Verifier as Settings
from tallystick.node.verifier.jury import Juror
from tallystick.node.verifier.models import Models
from tallystick.node.verifier.reader import Reader


@dataclass(frozen=True, slots=True)
class Subject:
    """A batch as it stood when it was picked up."""

    record: BatchRecord
    rules: Rules
    model: RegisteredModel
    earlier: tuple[BatchRecord, ...]
    """Of its lane, still in their slots."""
    now: int
    """Unix seconds of the chain."""


class Watch:
    """The ledger, shared by threads; what is given out is a copy.

    Args:
        settings: the verifier's.
        registry: the core.
        reader: keeps the ledger.
        address: the node's account, 20 bytes.
        models: that can be run here.
        jurors: one for each committee that the node may have a seat in.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        reader: Reader,
        address: bytes,
        models: Models,
        jurors: Sequence[Juror],
    ) -> None:
        self.registry, self.reader, self.address = registry, reader, address
        self.jurors, self._models = tuple(jurors), models
        self._networks = frozenset(settings.networks)
        self._ledger = Ledger()
        self._lock = threading.Lock()

    def sync(self) -> None:
        """Read what is new."""
        with self._lock:
            self._ledger = self.reader.sync()

    def has(self, batch_id: bytes) -> bool:
        """Whether the chain has a batch."""
        with self._lock:
            return batch_id in self._ledger.batches

    def live(self) -> list[bytes]:
        """Return the batches about which something can be done; with a clock running first."""
        with self._lock:
            live = [record.id for record in self._ledger.batches.values() if self._is_live(record)]
            live.sort(key=lambda key: self._ledger.batches[key].state is not State.DISPUTED)
            return live

    def subject(self, batch_id: bytes) -> Subject | None:
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
            return Subject(replace(record), self._rules(record), model, earlier, self.reader.now)

    def juror_for(self, rules: Rules) -> Juror | None:
        """Return the juror that audits under these rules: it refuses another arbiter's networks."""
        juror = self._in(rules.attestors[Grade.AUDITED - 1])
        return juror if juror and juror.terms.arbiter == rules.arbiter else None

    def judge_for(self, rules: Rules) -> Juror | None:
        """Return the juror that rules under these rules, if their arbiter is its committee."""
        return self._in(rules.arbiter)

    def place(self) -> int | None:
        """Return the node's place in the first committee where it counts; None: in none."""
        seats = (juror.seat for juror in self.jurors)
        return next((seat.member for seat in seats if seat), None)

    def model(self, record: BatchRecord) -> RegisteredModel:
        """Return a batch's model, as registered."""
        with self._lock:
            return self._ledger.models[record.batch.model_id]

    def call(self, move: Callable[[Board], Call]) -> Call:
        """Return a move's call by the ledger as it stands now; MoveError if it is not allowed."""
        with self._lock:
            return move(Board(self._ledger, self.reader.now, self.address))

    def challenges_open(self) -> list[BatchRecord]:
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

    def audited(self, juror: Juror) -> list[BatchRecord]:
        """Return the batches that a committee audited, and that are over."""
        with self._lock:
            return [
                replace(record)
                for record in self._ledger.batches.values()
                if record.state in (State.REJECTED, State.FINAL)
                and record.grade >= Grade.AUDITED
                and self._is_watched(record)
                and self.juror_for(self._rules(record)) is juror
            ]

    def credits(self) -> Mapping[bytes, int]:
        """Return what the core owes the node, by asset, in its units."""
        with self._lock:
            return {
                asset: amount
                for (asset, account), amount in self._ledger.credits.items()
                if account == self.address
            }

    def _in(self, committee: bytes) -> Juror | None:
        return next((juror for juror in self.jurors if juror.address == committee), None)

    def _own_disputes(self) -> list[BatchRecord]:
        return [
            record
            for record in self._ledger.batches.values()
            if record.dispute is not None and record.dispute.party == self.address
        ]

    def _is_live(self, record: BatchRecord) -> bool:
        if not self._is_watched(record):
            return False
        if record.state is State.DISPUTED:
            return True
        return record.state is State.OPEN and self.reader.now < record.stamp.closes_at

    def _is_watched(self, record: BatchRecord) -> bool:
        if record.batch.operator == self.address:
            return False
        return not self._networks or record.batch.network_id in self._networks

    def _rules(self, record: BatchRecord) -> Rules:
        return self._ledger.networks[record.batch.network_id].rules
