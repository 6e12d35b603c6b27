"""The ledger: a fold of the registry's events, one function per event kind.

A left fold over the events of one registry from its first block on, in their order: over all of
them, or over those of a scope; then the ledger answers for nothing else. An event applies wholly or
not at all: each function checks first, then writes. One that cannot follow the events before it
(one is missing, twice there, or from another contract) raises and changes nothing; whoever reads a
chain asks the registry about it (see chain.fold).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import singledispatchmethod

from tallystick.errors import (
    FieldError,
    LedgerError,
    NotCoveredError,
    UnknownEventError,
    UnknownNetworkError,
)
from tallystick.protocol import events
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.batch import Batch, Dispute, PreImage, Stamp
from tallystick.protocol.batches import Batches
from tallystick.protocol.covered import covered, uncovered
from tallystick.protocol.enums import Cause, DisputeKind, Grade, Outcome, State
from tallystick.protocol.events import BatchEvent, Event, LaneEvent, NetworkEvent, Position
from tallystick.protocol.rules import Rules, model_id
from tallystick.protocol.scope import WHOLE, Scope
from tallystick.protocol.totals import Totals

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
class BatchState:
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
    """Cause of a rejection."""
    leaf_index: int = 0
    """The leaf that convicted a rejected batch, or was demanded in vain."""

    def reopen(self, stamp: Stamp, rules: Rules) -> None:
        """End its dispute, and open it again; one that outlasts its life counts as unresolved.

        Args:
            stamp: with the new end of its window.
            rules: of its network.
        """
        self.state, self.dispute, self.stamp = State.OPEN, None, stamp
        if stamp.closes_at > stamp.committed_at + rules.lapse_after:
            self.lapsed = True

    @property
    def outcome(self) -> Outcome:
        """The counter that it moves, or has moved, at finality."""
        return Outcome.of(self.grade, self.lapsed)

    @property
    def pre_image(self) -> PreImage:
        """The pre-image that the contract's functions take for the batch as it stands."""
        if self.dispute is None:
            return PreImage(self.batch, self.stamp)
        return PreImage(self.batch, self.stamp, self.dispute)

    @property
    def word(self) -> bytes:
        """The word of its slot as long as no other batch takes the slot over, 32 bytes."""
        if self.state is State.REJECTED:
            return PreImage(self.batch, self.stamp).word(State.REJECTED)
        return self.pre_image.word(self.state, self.grade, self.lapsed)


class Ledger:
    """Networks, models, lanes, batches, counters and credits, from events alone.

    What no event has named is a KeyError in `networks`, `models` and `batches`, and an empty entry
    in `lanes`, `totals`, `swept` and `credits`. What the scope leaves out is a NotCoveredError;
    `models` and `batches` are those of the networks and lanes that it has.

    Args:
        scope: what the events are of.

    >>> position = Position(block_number=1, log_index=0, tx_hash=bytes(32), address=bytes(20))
    >>> ledger = Ledger.of([events.Deposited(bytes(20), b"a" * 20, 5, position=position)])
    >>> ledger.credits[bytes(20), b"a" * 20]
    5
    """

    def __init__(self, scope: Scope = WHOLE) -> None:
        self.scope = scope
        self.networks: dict[bytes, Network] = {}
        self.models: dict[bytes, Model] = {}
        self.lanes: defaultdict[LaneKey, Lane] = defaultdict(Lane)
        self.batches: dict[bytes, BatchState] = Batches()
        self.totals: defaultdict[bytes, Totals] = defaultdict(Totals)
        self.credits: defaultdict[tuple[bytes, bytes], int] = defaultdict(int)
        """By asset and account."""
        self.swept: defaultdict[bytes, int] = defaultdict(int)
        """By network id."""
        self.keys: defaultdict[bytes, list[tuple[int, bytes]]] = defaultdict(list)
        """By operator: block number and key of each KeySet, in order; a key of zero is none."""
        if not scope.is_whole:
            self._narrow(scope)
        self.passed_over = 0
        """Events that whoever reads the chain passed over: the registry knows nothing of what they
        name."""
        self.last: Position | None = None
        """Position of the last event applied or passed over."""
        self.touched: set[bytes] = set()
        """Ids of the batches that events have named; whoever keeps the ledger empties it."""

    @classmethod
    def of(cls, stream: Iterable[Event], scope: Scope = WHOLE) -> "Ledger":
        """Return the ledger after these events of a scope, in this order."""
        ledger = cls(scope)
        for event in stream:
            ledger.apply(event)
        return ledger

    def apply(self, event: Event) -> None:
        """Move on by one event, wholly or not at all.

        Raises:
            LedgerError: the event cannot follow the ones before it; the ledger is as it was.
            NotCoveredError: the event is not of the ledger's scope.
            UnknownNetworkError: what it cannot follow is that no event has registered its network.
            UnknownEventError: the event is of no kind that the ledger knows.
        """
        self._check_place(event)
        self._apply(event)
        self.last = event.position

    def pass_over(self, event: Event) -> None:
        """Move on behind an event without applying it, and count it.

        Raises:
            LedgerError: the event does not come after the ones before it.
        """
        self._check_place(event)
        self.passed_over += 1
        self.last = event.position

    def live(self) -> Iterator[BatchState]:
        """Yield the batches that are neither final nor rejected, lane by lane.

        What that costs depends on them, and on the lanes, not on all batches there were.
        """
        for lane in self.lanes.values():
            for batch_id in lane.slots.values():
                record = self.batches[batch_id]
                if record.state in (State.OPEN, State.DISPUTED):
                    yield record

    def key_of(self, operator: bytes) -> bytes:
        """Return the key that may commit for an operator, 20 bytes; zero: none."""
        changes = self.keys.get(operator)
        return changes[-1][1] if changes else ZERO_ADDRESS

    def keys_at(self, operator: bytes, block: int) -> set[bytes]:
        """Return the keys that might commit for an operator at some time in a block; never zero.

        Args:
            operator: 20 bytes.
            block: number.
        """
        found, before = set(), ZERO_ADDRESS
        for number, key in self.keys.get(operator, ()):
            if number > block:
                break
            if number < block:
                before = key
            else:
                found.add(key)
        return (found | {before}) - {ZERO_ADDRESS}

    def held(self, asset: bytes) -> int:
        """Return what the registry owes in an asset: credits, stakes, bonds and unswept burns.

        Raises:
            NotCoveredError: the ledger is one of a part.
        """
        credit = sum(amount for (of, _), amount in self.credits.items() if of == asset)
        here = {key for key, network in self.networks.items() if network.rules.asset == asset}
        stakes = sum(lane.stake for (network, _), lane in self.lanes.items() if network in here)
        bonds = sum(self._bond(record) for record in self.live() if record.batch.network_id in here)
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
        self._credit(event.asset, event.account, event.amount)

    @_apply.register
    def _withdrawn(self, event: events.Withdrawn) -> None:
        self._need_credit(event, event.asset, event.account, event.amount)
        self._credit(event.asset, event.account, -event.amount)

    @_apply.register
    def _key_set(self, event: events.KeySet) -> None:
        self.keys[event.operator].append((event.position.block_number, event.key))

    @_apply.register
    def _staked(self, event: events.Staked) -> None:
        asset = self._asset(event)
        self._need_credit(event, asset, event.operator, event.amount)
        self._credit(asset, event.operator, -event.amount)
        self._lane(event).stake += event.amount

    @_apply.register
    def _unstaked(self, event: events.Unstaked) -> None:
        asset = self._asset(event)
        self._need_stake(event, event.amount)
        self._lane(event).stake -= event.amount
        self._credit(asset, event.operator, event.amount)

    @_apply.register
    def _swept(self, event: events.Swept) -> None:
        asset = self._asset(event)
        if event.asset != asset:
            raise self._wrong(event, f"the network's asset is 0x{asset.hex()}")
        swept = self.swept.get(event.network_id, 0) + event.amount
        if swept > self._totals(event).burned:
            raise self._wrong(event, "more was swept than burned")
        self.swept[event.network_id] = swept

    @_apply.register
    def _batch_committed(self, event: events.BatchCommitted) -> None:
        self._network(event)
        stamp = event.stamp
        batch = self._batch(event)
        if batch.id() != event.batch_id:
            raise self._wrong(event, f"its fields hash to batch 0x{batch.id().hex()}")
        held = self.lanes.get((event.network_id, event.operator), Lane())
        if event.index != held.next_index:
            raise self._wrong(event, f"the lane's next index is {held.next_index}")
        before = held.slots.get(stamp.slot, ZERO32)
        over: BatchState | None = None
        if event.finalized_id != ZERO32:
            if before != event.finalized_id:
                raise self._wrong(event, f"slot {stamp.slot} held batch 0x{before.hex()}")
            over = self._finalizable(event, before, event.outcome, event.finalized_count)
        elif before != ZERO32 and self.batches[before].state not in (State.FINAL, State.REJECTED):
            raise self._wrong(event, f"slot {stamp.slot} holds a batch that is not over")

        if over is not None:
            self._finalize(event, over)
        self._count(event, lambda totals: totals.commit(stamp.count))
        lane = self._lane(event)
        lane.next_index += 1
        lane.open_inferences += stamp.count
        lane.slots[stamp.slot] = event.batch_id
        self.batches[event.batch_id] = BatchState(event.batch_id, batch, stamp, event.position)
        self.touched.add(event.batch_id)

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
        record, stamp = self._reopening(event, DisputeKind.DEMAND, event.closes_at, event.bond)
        self._reopen(record, stamp)
        self._credit(self._asset(event), event.operator, event.bond)

    @_apply.register
    def _challenge_upheld(self, event: events.ChallengeUpheld) -> None:
        bond = event.credited + event.burned
        record, stamp = self._reopening(event, DisputeKind.CHALLENGE, event.closes_at, bond)
        self._reopen(record, stamp)
        self._credit(self._asset(event), event.operator, event.credited)
        self._count(event, lambda totals: totals.burn(event.burned))

    @_apply.register
    def _challenge_lapsed(self, event: events.ChallengeLapsed) -> None:
        bond = event.returned + event.burned
        record, stamp = self._reopening(event, DisputeKind.CHALLENGE, event.closes_at, bond)
        self._reopen(record, stamp)
        record.lapsed = True
        self._credit(self._asset(event), event.challenger, event.returned)
        self._count(event, lambda totals: totals.burn(event.burned))

    @_apply.register
    def _batch_rejected(self, event: events.BatchRejected) -> None:
        record = self._record(event, event.batch_id, State.OPEN, State.DISPUTED)
        self._check_count(event, record, event.count)
        if event.bond != self._bond(record):
            raise self._wrong(event, f"the pending bond is {self._bond(record)}")
        owner = record.dispute.party if record.dispute else ZERO_ADDRESS
        if event.bond_owner != owner:
            raise self._wrong(event, f"the pending bond is of 0x{owner.hex()}")
        asset = self._asset(event)
        self._need_stake(event, event.reward + event.burned)

        record.state, record.dispute, record.archived = State.REJECTED, None, True
        record.cause, record.leaf_index = event.cause, event.leaf_index
        lane = self._lane(event)
        lane.stake -= event.reward + event.burned
        lane.open_inferences -= event.count
        self._credit(asset, event.payee, event.reward)
        self._credit(asset, event.bond_owner, event.bond)
        self._count(event, lambda totals: totals.reject(event.count, event.burned))

    @_apply.register
    def _batch_finalized(self, event: events.BatchFinalized) -> None:
        record = self._finalizable(event, event.batch_id, event.outcome, event.count)
        self._finalize(event, record)

    @_apply.register
    def _batch_archived(self, event: events.BatchArchived) -> None:
        self._record(event, event.batch_id, State.FINAL).archived = True

    @_apply.register
    def _cargo(self, event: events.EvidenceAccepted | events.BytesRevealed) -> None:
        """Change nothing: what they carry is for whoever judges, and an event beside them tells."""

    def _narrow(self, scope: Scope) -> None:
        """Have what the scope leaves out be refused, where a key says that it does."""
        self.networks = covered("networks", scope.has_network)
        self.lanes = covered("lanes", scope.has_lane, Lane)
        self.keys = covered("keys", scope.has_key, list)
        self.credits = uncovered("credits", int)
        if scope.operators is None:
            self.totals = covered("totals", scope.has_totals, Totals)
            self.swept = covered("sweeps", scope.has_totals, int)
        else:
            self.totals = uncovered("totals", Totals)
            self.swept = uncovered("sweeps", int)

    # What several kinds check.

    def _check_place(self, event: Event) -> None:
        if not isinstance(event, Event):
            raise UnknownEventError(type(event).__name__)
        if not self.scope.has_event(event):
            raise NotCoveredError(_told(event, "its network or lane"))
        if self.last is not None:
            if event.position.order <= self.last.order:
                raise self._wrong(event, f"not after {self.last.order} (block, log)")
            if event.position.address != self.last.address:
                raise self._wrong(event, f"not from contract 0x{self.last.address.hex()}")

    def _batch(self, event: events.BatchCommitted) -> Batch:
        try:
            return Batch(
                event.network_id,
                event.operator,
                event.index,
                event.model_id,
                event.root,
                event.stamp.count,
                event.commit_deadline,
            )
        except FieldError as error:
            raise self._wrong(event, str(error)) from error

    def _finalizable(self, event: BatchEvent, key: bytes, out: Outcome, n: int) -> BatchState:
        record = self._record(event, key, State.OPEN)
        self._check_count(event, record, n)
        if out is not record.outcome:
            raise self._wrong(event, f"the outcome is {record.outcome.name} by earlier events")
        return record

    def _reopening(
        self, event: BatchEvent, kind: DisputeKind, closes_at: int, bond: int
    ) -> tuple[BatchState, Stamp]:
        """Return the batch whose dispute of this kind ends, and its stamp from then on."""
        record = self._record(event, event.batch_id, State.DISPUTED)
        if record.dispute is None or record.dispute.kind is not kind:
            raise self._wrong(event, f"the batch has no {kind.name.lower()} pending")
        if bond != self._bond(record):
            raise self._wrong(event, f"the pending bond is {self._bond(record)}")
        try:
            return record, record.stamp.closing_at(closes_at)
        except FieldError as error:
            raise self._wrong(event, str(error)) from error

    def _need_credit(self, event: Event, asset: bytes, account: bytes, amount: int) -> None:
        # Nobody's credit is known from a part of the events.
        if self.scope.is_whole and self.credits.get((asset, account), 0) < amount:
            raise self._wrong(event, f"credit of 0x{account.hex()} would fall below zero")

    def _need_stake(self, event: LaneEvent, amount: int) -> None:
        lane = self.lanes.get((event.network_id, event.operator))
        if (lane.stake if lane else 0) < amount:
            raise self._wrong(event, "the lane's stake would fall below zero")

    def _network(self, event: NetworkEvent) -> Network:
        if event.network_id not in self.networks:
            reason = f"no event has registered network 0x{event.network_id.hex()}"
            raise UnknownNetworkError(_told(event, reason), event.network_id)
        return self.networks[event.network_id]

    def _asset(self, event: NetworkEvent) -> bytes:
        return self._network(event).rules.asset

    def _totals(self, event: NetworkEvent) -> Totals:
        return self.totals.get(event.network_id, Totals())

    def _record(self, event: LaneEvent, key: bytes, *states: State) -> BatchState:
        self._network(event)
        record = self.batches.get(key)
        if record is None:
            raise self._wrong(event, f"no event has committed batch 0x{key.hex()}")
        if (record.batch.network_id, record.batch.operator) != (event.network_id, event.operator):
            raise self._wrong(event, "the batch is in another lane")
        if record.state not in states:
            raise self._wrong(event, f"the batch is {record.state.name.lower()}")
        self.touched.add(key)
        return record

    def _check_count(self, event: Event, record: BatchState, count: int) -> None:
        if count != record.batch.count:
            raise self._wrong(event, f"the batch has {record.batch.count} inferences")

    def _wrong(self, event: Event, reason: str) -> LedgerError:
        return LedgerError(_told(event, reason))

    # What several kinds write, once all is checked.

    def _finalize(self, event: BatchEvent, record: BatchState) -> None:
        record.state, count = State.FINAL, record.batch.count
        self._lane(event).open_inferences -= count
        self._count(event, lambda totals: totals.finalize(record.outcome, count))

    def _dispute(self, event: BatchEvent, dispute: Dispute) -> None:
        record, asset = self._record(event, event.batch_id, State.OPEN), self._asset(event)
        bond = self._bond_of(record, dispute)
        self._need_credit(event, asset, dispute.party, bond)
        record.state, record.dispute = State.DISPUTED, dispute
        self._credit(asset, dispute.party, -bond)

    def _reopen(self, record: BatchState, stamp: Stamp) -> None:
        record.reopen(stamp, self.networks[record.batch.network_id].rules)

    def _credit(self, asset: bytes, account: bytes, change: int) -> None:
        if change and self.scope.is_whole:
            self.credits[asset, account] += change

    def _count(self, event: NetworkEvent, change: Callable[[Totals], Totals]) -> None:
        if self.scope.has_totals(event.network_id):
            self.totals[event.network_id] = change(self._totals(event))

    def _lane(self, event: LaneEvent) -> Lane:
        self._network(event)
        return self.lanes[event.network_id, event.operator]

    def _bond(self, record: BatchState) -> int:
        return self._bond_of(record, record.dispute) if record.dispute else 0

    def _bond_of(self, record: BatchState, dispute: Dispute) -> int:
        rules = self.networks[record.batch.network_id].rules
        if dispute.kind is DisputeKind.CHALLENGE:
            return rules.challenge_bond
        return rules.demand_bond


def _told(event: Event, reason: str) -> str:
    place = event.position.order
    return f"{type(event).__name__} at {place} (block, log): {reason}"
