"""What the chain says, folded from the core's events, one function per event kind.

A left fold over all events of one core from its first block on, in their order. An event that
cannot follow the ones before it (one is missing, twice there, or from another contract) raises.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import singledispatchmethod

from tallystick import events
from tallystick.batch import Batch, Dispute, PreImage, Stamp
from tallystick.enums import Cause, DisputeKind, Grade, Outcome, State
from tallystick.errors import LedgerError, UnknownEventError
from tallystick.events import BatchEvent, Event, LaneEvent, NetworkEvent, Position
from tallystick.network import Rules, model_id
from tallystick.totals import Totals
from tallystick.words import ZERO32

LaneKey = tuple[bytes, bytes]
"""Network id and operator."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network as registered."""

    id: bytes
    owner: bytes
    parent: bytes
    salt: bytes
    rules: Rules
    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model as registered."""

    id: bytes
    network_id: bytes
    registrant: bytes
    content_hash: bytes
    spec_hash: bytes
    parent: bytes
    name: str
    uri: str


@dataclass(slots=True)
class Lane:
    """An operator's standing in a network."""

    stake: int = 0
    open_inferences: int = 0
    next_index: int = 0
    admitted: bool = False
    closed: bool = False
    slots: dict[int, bytes] = field(default_factory=dict)
    """Id of the batch that each slot holds; slots never used are missing."""


@dataclass(slots=True)
class BatchRecord:
    """A batch and all that has happened to it."""

    id: bytes
    batch: Batch
    stamp: Stamp
    committed: Position
    """The log that committed it."""
    state: State = State.OPEN
    grade: Grade = Grade.UNCHALLENGED
    lapsed: bool = False
    dispute: Dispute | None = None
    archived: bool = False
    cause: Cause = Cause.NONE
    """Of a rejection."""
    leaf_index: int = 0
    """Of a rejection: the leaf that convicted it, or was demanded in vain."""

    @property
    def outcome(self) -> Outcome:
        """The counter that it moves, or has moved, at finality."""
        return Outcome.of(self.grade, self.lapsed)

    @property
    def pre_image(self) -> PreImage:
        """What the contract's functions take for the batch as it stands."""
        if self.dispute is None:
            return PreImage(self.batch, self.stamp)
        return PreImage(self.batch, self.stamp, self.dispute)

    @property
    def word(self) -> bytes:
        """What its slot holds as long as no other batch takes the slot over, 32 bytes."""
        if self.state is State.REJECTED:
            return PreImage(self.batch, self.stamp).word(State.REJECTED)
        return self.pre_image.word(self.state, self.grade, self.lapsed)


class Ledger:
    """Networks, models, lanes, batches, counters and credits, from events alone.

    What no event has named is a KeyError in `networks`, `models` and `batches`, and an empty entry
    in `lanes`, `totals`, `swept` and `credits`.

    >>> position = Position(block_number=1, log_index=0, tx_hash=bytes(32), address=bytes(20))
    >>> ledger = Ledger.of([events.Deposited(bytes(20), b"a" * 20, 5, position=position)])
    >>> ledger.credits[bytes(20), b"a" * 20]
    5
    """

    def __init__(self) -> None:
        self.networks: dict[bytes, Network] = {}
        self.models: dict[bytes, Model] = {}
        self.lanes: defaultdict[LaneKey, Lane] = defaultdict(Lane)
        self.batches: dict[bytes, BatchRecord] = {}
        self.totals: defaultdict[bytes, Totals] = defaultdict(Totals)
        self.credits: defaultdict[tuple[bytes, bytes], int] = defaultdict(int)
        """By asset and account."""
        self.swept: defaultdict[bytes, int] = defaultdict(int)
        """By network id."""
        self.last: Position | None = None
        """Where the last event applied stands."""

    @classmethod
    def of(cls, stream: Iterable[Event]) -> "Ledger":
        """Return the ledger after these events, in this order."""
        ledger = cls()
        for event in stream:
            ledger.apply(event)
        return ledger

    def apply(self, event: Event) -> None:
        """Move on by one event.

        Raises:
            LedgerError: the event cannot follow the ones before it; the ledger is unusable then.
            UnknownEventError: the event is of no kind that the ledger knows.
        """
        if not isinstance(event, Event):
            raise UnknownEventError(type(event).__name__)
        if self.last is not None:
            if event.position.order <= self.last.order:
                raise self._wrong(event, f"not after {self.last.order} (block, log)")
            if event.position.address != self.last.address:
                raise self._wrong(event, f"not from contract 0x{self.last.address.hex()}")
        self._apply(event)
        self.last = event.position

    def held(self, asset: bytes) -> int:
        """Return what the core owes in an asset: credits, stakes, bonds and unswept burns."""
        credit = sum(amount for (of, _), amount in self.credits.items() if of == asset)
        here = {key for key, network in self.networks.items() if network.rules.asset == asset}
        stakes = sum(lane.stake for (network, _), lane in self.lanes.items() if network in here)
        bonds = sum(
            self._bond(record)
            for record in self.batches.values()
            if record.batch.network_id in here
        )
        burns = sum(
            totals.burned - self.swept.get(network, 0)
            for network, totals in self.totals.items()
            if network in here
        )
        return credit + stakes + bonds + burns

    # One function per event kind.

    @singledispatchmethod
    def _apply(self, event: Event) -> None:
        raise UnknownEventError(type(event).__name__)

    @_apply.register
    def _network_registered(self, event: events.NetworkRegistered) -> None:
        if event.network_id in self.networks:
            raise self._wrong(event, "the network is registered already")
        self.networks[event.network_id] = Network(
            event.network_id,
            event.owner,
            event.parent,
            event.salt,
            event.rules,
            event.name,
            event.uri,
        )

    @_apply.register
    def _operator_admitted(self, event: events.OperatorAdmitted) -> None:
        lane = self._lane(event)
        lane.admitted, lane.closed = True, False

    @_apply.register
    def _operator_closed(self, event: events.OperatorClosed) -> None:
        self._lane(event).closed = True

    @_apply.register
    def _model_registered(self, event: events.ModelRegistered) -> None:
        self._network(event)
        model = Model(
            event.model_id,
            event.network_id,
            event.registrant,
            event.content_hash,
            event.spec_hash,
            event.parent,
            event.name,
            event.uri,
        )
        named = model_id(
            model.network_id, model.registrant, model.content_hash, model.spec_hash, model.parent
        )
        if named != model.id:
            raise self._wrong(event, f"its fields hash to model 0x{named.hex()}")
        self.models[model.id] = model

    @_apply.register
    def _deposited(self, event: events.Deposited) -> None:
        self._credit(event, event.asset, event.account, event.amount)

    @_apply.register
    def _withdrawn(self, event: events.Withdrawn) -> None:
        self._credit(event, event.asset, event.account, -event.amount)

    @_apply.register
    def _staked(self, event: events.Staked) -> None:
        self._credit(event, self._asset(event), event.operator, -event.amount)
        self._lane(event).stake += event.amount

    @_apply.register
    def _unstaked(self, event: events.Unstaked) -> None:
        self._take_stake(event, event.amount)
        self._credit(event, self._asset(event), event.operator, event.amount)

    @_apply.register
    def _swept(self, event: events.Swept) -> None:
        self.swept[event.network_id] += event.amount
        if self.swept[event.network_id] > self.totals[event.network_id].burned:
            raise self._wrong(event, "more was swept than burned")

    @_apply.register
    def _batch_committed(self, event: events.BatchCommitted) -> None:
        self._network(event)
        lane, stamp = self._lane(event), event.stamp
        batch = Batch(
            event.network_id,
            event.operator,
            event.index,
            event.model_id,
            event.root,
            stamp.count,
            event.commit_deadline,
        )
        if batch.id() != event.batch_id:
            raise self._wrong(event, f"its fields hash to batch 0x{batch.id().hex()}")
        if event.index != lane.next_index:
            raise self._wrong(event, f"the lane's next index is {lane.next_index}")
        before = lane.slots.get(stamp.slot, ZERO32)
        if event.finalized_id != ZERO32:
            if before != event.finalized_id:
                raise self._wrong(event, f"slot {stamp.slot} held batch 0x{before.hex()}")
            self._finalize(event, event.finalized_id, event.outcome, event.finalized_count)
        elif before != ZERO32 and self.batches[before].state not in (State.FINAL, State.REJECTED):
            raise self._wrong(event, f"slot {stamp.slot} holds a batch that is not over")
        self.totals[event.network_id] = self.totals[event.network_id].commit(stamp.count)
        lane.next_index += 1
        lane.open_inferences += stamp.count
        lane.slots[stamp.slot] = event.batch_id
        self.batches[event.batch_id] = BatchRecord(event.batch_id, batch, stamp, event.position)

    @_apply.register
    def _batch_attested(self, event: events.BatchAttested) -> None:
        record = self._record(event, event.batch_id, State.OPEN)
        if event.grade <= record.grade:
            raise self._wrong(event, f"the grade is {record.grade.name} already")
        record.grade = event.grade

    @_apply.register
    def _batch_challenged(self, event: events.BatchChallenged) -> None:
        dispute = Dispute(
            DisputeKind.CHALLENGE,
            False,
            event.challenger,
            event.leaf_index,
            event.due,
            event.leaf,
        )
        self._dispute(event, dispute)

    @_apply.register
    def _batch_demanded(self, event: events.BatchDemanded) -> None:
        dispute = Dispute(
            DisputeKind.DEMAND,
            event.with_bytes,
            event.demander,
            event.leaf_index,
            event.due,
            ZERO32,
        )
        self._dispute(event, dispute)

    @_apply.register
    def _leaf_revealed(self, event: events.LeafRevealed) -> None:
        self._reopen(event, DisputeKind.DEMAND, event.closes_at, event.bond)
        self._credit(event, self._asset(event), event.operator, event.bond)

    @_apply.register
    def _challenge_upheld(self, event: events.ChallengeUpheld) -> None:
        bond = event.credited + event.burned
        self._reopen(event, DisputeKind.CHALLENGE, event.closes_at, bond)
        self._credit(event, self._asset(event), event.operator, event.credited)
        self.totals[event.network_id] = self.totals[event.network_id].burn(event.burned)

    @_apply.register
    def _challenge_lapsed(self, event: events.ChallengeLapsed) -> None:
        bond = event.returned + event.burned
        record = self._reopen(event, DisputeKind.CHALLENGE, event.closes_at, bond)
        record.lapsed = True
        self._credit(event, self._asset(event), event.challenger, event.returned)
        self.totals[event.network_id] = self.totals[event.network_id].burn(event.burned)

    @_apply.register
    def _batch_rejected(self, event: events.BatchRejected) -> None:
        record = self._record(event, event.batch_id, State.OPEN, State.DISPUTED)
        self._check_count(event, record, event.count)
        if event.bond != self._bond(record):
            raise self._wrong(event, f"the pending bond is {self._bond(record)}")
        record.state, record.dispute, record.archived = State.REJECTED, None, True
        record.cause, record.leaf_index = event.cause, event.leaf_index
        self._take_stake(event, event.reward + event.burned)
        self._lane(event).open_inferences -= event.count
        asset = self._asset(event)
        self._credit(event, asset, event.payee, event.reward)
        self._credit(event, asset, event.bond_owner, event.bond)
        totals = self.totals[event.network_id]
        self.totals[event.network_id] = totals.reject(event.count, event.burned)

    @_apply.register
    def _batch_finalized(self, event: events.BatchFinalized) -> None:
        self._finalize(event, event.batch_id, event.outcome, event.count)

    @_apply.register
    def _batch_archived(self, event: events.BatchArchived) -> None:
        self._record(event, event.batch_id, State.FINAL).archived = True

    # What several kinds share.

    def _finalize(self, event: BatchEvent, key: bytes, out: Outcome, n: int) -> None:
        record = self._record(event, key, State.OPEN)
        self._check_count(event, record, n)
        if out is not record.outcome:
            raise self._wrong(event, f"the outcome is {record.outcome.name} by earlier events")
        record.state = State.FINAL
        self._lane(event).open_inferences -= n
        self.totals[event.network_id] = self.totals[event.network_id].finalize(out, n)

    def _dispute(self, event: BatchEvent, dispute: Dispute) -> None:
        record = self._record(event, event.batch_id, State.OPEN)
        record.state, record.dispute = State.DISPUTED, dispute
        self._credit(event, self._asset(event), dispute.party, -self._bond(record))

    def _reopen(
        self,
        event: BatchEvent,
        kind: DisputeKind,
        closes_at: int,
        bond: int,
    ) -> BatchRecord:
        record = self._record(event, event.batch_id, State.DISPUTED)
        if record.dispute is None or record.dispute.kind is not kind:
            raise self._wrong(event, f"the batch has no {kind.name.lower()} pending")
        if bond != self._bond(record):
            raise self._wrong(event, f"the pending bond is {self._bond(record)}")
        record.state, record.dispute = State.OPEN, None
        record.stamp = record.stamp.closing_at(closes_at)
        return record

    def _bond(self, record: BatchRecord) -> int:
        if record.dispute is None:
            return 0
        rules = self.networks[record.batch.network_id].rules
        if record.dispute.kind is DisputeKind.CHALLENGE:
            return rules.challenge_bond
        return rules.demand_bond

    def _credit(self, event: Event, asset: bytes, account: bytes, change: int) -> None:
        if change == 0:
            return
        self.credits[asset, account] += change
        if self.credits[asset, account] < 0:
            raise self._wrong(event, f"credit of 0x{account.hex()} would fall below zero")

    def _take_stake(self, event: LaneEvent, amount: int) -> None:
        lane = self._lane(event)
        lane.stake -= amount
        if lane.stake < 0:
            raise self._wrong(event, "the lane's stake would fall below zero")

    def _network(self, event: NetworkEvent) -> Network:
        if event.network_id not in self.networks:
            raise self._wrong(event, "no event has registered its network")
        return self.networks[event.network_id]

    def _asset(self, event: NetworkEvent) -> bytes:
        return self._network(event).rules.asset

    def _lane(self, event: LaneEvent) -> Lane:
        self._network(event)
        return self.lanes[event.network_id, event.operator]

    def _record(self, event: LaneEvent, key: bytes, *states: State) -> BatchRecord:
        record = self.batches.get(key)
        if record is None:
            raise self._wrong(event, f"no event has committed batch 0x{key.hex()}")
        if (record.batch.network_id, record.batch.operator) != (event.network_id, event.operator):
            raise self._wrong(event, "the batch is in another lane")
        if record.state not in states:
            raise self._wrong(event, f"the batch is {record.state.name.lower()}")
        return record

    def _check_count(self, event: Event, record: BatchRecord, count: int) -> None:
        if count != record.batch.count:
            raise self._wrong(event, f"the batch has {record.batch.count} inferences")

    def _wrong(self, event: Event, reason: str) -> LedgerError:
        place = event.position.order
        return LedgerError(f"{type(event).__name__} at {place} (block, log): {reason}")
