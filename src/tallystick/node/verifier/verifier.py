"""What the node does about each batch; whoever calls it, and how often, makes no difference.

Findings, statements and moves are in the journal before anybody can see them, and each is made
once. Several processes may do this at a time: a batch is looked at by one of them.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from web3.exceptions import Web3Exception

from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.committee import Audit, Verdict
from tallystick.draw import draw
from tallystick.enums import Cause, DisputeKind, Grade, Ruling, State
from tallystick.errors import TallystickError
from tallystick.keccak import keccak256
from tallystick.ledger import BatchRecord, Ledger
from tallystick.ledger import Model as RegisteredModel
from tallystick.moves.board import Board, MoveError
from tallystick.moves.convict import disprove, fault
from tallystick.moves.data import BatchData
from tallystick.moves.disputed import lapse, resolve, timeout
from tallystick.moves.open import attest, challenge, demand
from tallystick.network import Rules
from tallystick.node.log import get_log
from tallystick.node.settings import Demands
from tallystick.node.settings import Verifier as Settings
from tallystick.node.verifier.audited import conviction
from tallystick.node.verifier.fetch import Stores
from tallystick.node.verifier.inspection import Finding, Kind, inspect
from tallystick.node.verifier.journal import Journal, Noted
from tallystick.node.verifier.jury import Juror
from tallystick.node.verifier.models import BytesMissingError, Models, Rerun
from tallystick.node.verifier.money import DAY
from tallystick.node.verifier.outbox import Intent, Outbox, Outcome
from tallystick.node.verifier.reader import Reader
from tallystick.node.verifier.repeats import Repeats
from tallystick.node.verifier.revealed import Revealed
from tallystick.node.verifier.taking import taken
from tallystick.opening import Opening
from tallystick.record import Record
from tallystick.words import ZERO32, ZERO_ADDRESS

DRAWN = 64
"""Leaves run again where no committee says how many, and no setting does."""
AT_ONCE = 4
"""Batches that one process looks at: a store that hangs holds up one of them."""
_CHALLENGED = keccak256(b"BatchChallenged(bytes32,address,bytes32,address,uint256,bytes32,uint256)")
_DEMANDED = keccak256(b"BatchDemanded(bytes32,address,bytes32,address,uint256,bool,uint256)")
_SELDOM = 3600.0
"""Seconds."""
EXPECTED = (TallystickError, OSError, ValueError, Web3Exception, sqlite3.Error)
"""What may go wrong without a bug of ours; it is tried again with the next block."""

_LOG = get_log("verifier")


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


class Verifier:
    """One node.

    Args:
        settings: the verifier's.
        registry: the core.
        reader: keeps the ledger.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        stores: of the operators.
        revealed: what operators opened on chain.
        models: that can be run here.
        juror: the node's seat in the committee; None where it has none.
        home: the node's folder; processes share the batches by locks in it.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        reader: Reader,
        journal: Journal,
        outbox: Outbox,
        stores: Stores,
        revealed: Revealed,
        models: Models,
        juror: Juror | None,
        home: Path,
    ) -> None:
        self._settings, self._registry, self.reader = settings, registry, reader
        self.journal, self.outbox = journal, outbox
        self._stores, self._revealed = stores, revealed
        self._models, self._juror, self.home = models, juror, home
        self._repeats = Repeats(lambda record: stores.load(record).data)
        self._watched = frozenset(settings.networks)
        self._ledger = Ledger()
        self._lock = threading.Lock()
        self._later: dict[tuple[bytes, str], float] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look")
        self.failures = 0
        """Since the start; what failed is tried again."""

    @property
    def core(self) -> bytes:
        """Address of the core, 20 bytes."""
        return self._registry.address

    # What calls in

    def tick(self) -> None:
        """See what is new, and do whatever is due."""
        self._guarded("tick", self._tick)

    def refresh(self) -> None:
        """Read what is new, and do nothing about it."""
        self._guarded("refresh", self._sync)

    def saw(self, batch_id: bytes) -> None:
        """Something happened to a batch: see to it now."""

        def see() -> None:
            self._sync()
            if batch_id in self._ledger.batches:
                self._see_to(batch_id)

        self._guarded("batch", see, batch=batch_id)

    def challenges_open(self) -> list[BatchRecord]:
        """Return the batches with a pending dispute of this node's."""
        with self._lock:
            return [
                replace(record)
                for record in self._ledger.batches.values()
                if record.dispute is not None and record.dispute.party == self.outbox.address
            ]

    def at_stake(self) -> int:
        """Return the bonds of those, in units of their assets."""
        pending = self.challenges_open()
        with self._lock:
            return sum(
                self._bond(self._rules(record), record.dispute.kind)
                for record in pending
                if record.dispute is not None
            )

    def batches_seen(self) -> int:
        """Return how many commits of others there were in the networks watched."""
        with self._lock:
            return sum(self._is_watched(record) for record in self._ledger.batches.values())

    # The round

    def _tick(self) -> None:
        self._sync()
        self._guarded("settle", self.outbox.settle)
        with self._lock:
            live = [record.id for record in self._ledger.batches.values() if self._is_live(record)]
            # Whoever has a clock running goes first.
            live.sort(key=lambda key: self._ledger.batches[key].state is not State.DISPUTED)
        list(self._pool.map(self._see_to_guarded, live))
        self._guarded("convict", self._convict_jurors)
        self._guarded("claim", self._claim)

    def _sync(self) -> None:
        with self._lock:
            self._ledger = self.reader.sync()

    def _is_live(self, record: BatchRecord) -> bool:
        if not self._is_watched(record):
            return False
        if record.state is State.DISPUTED:
            return True
        return record.state is State.OPEN and self.reader.now < record.stamp.closes_at

    def _is_watched(self, record: BatchRecord) -> bool:
        if record.batch.operator == self.outbox.address:
            return False
        return not self._watched or record.batch.network_id in self._watched

    def _see_to_guarded(self, batch_id: bytes) -> None:
        self._guarded("batch", lambda: self._see_to(batch_id), batch=batch_id)

    def _see_to(self, batch_id: bytes) -> None:
        with taken(self.home / "locks", batch_id) as mine:
            if not mine:
                return
            subject = self._subject(batch_id)
            if subject is None:
                return
            dispute = subject.record.dispute
            if dispute is not None and dispute.kind is DisputeKind.DEMAND:
                self._end(subject, timeout)
            elif dispute is not None:
                self._end(subject, lapse)
            found = self._found(subject)
            if found is not None:
                self._act(subject, found)
            if dispute is not None and dispute.kind is DisputeKind.CHALLENGE:
                self._rule(subject)

    def _subject(self, batch_id: bytes) -> Subject | None:
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

    # Finding out

    def _found(self, subject: Subject) -> Finding | None:
        """Return what is the matter, found out now if it was not before; None: not known yet."""
        record = subject.record
        noted = self.journal.finding(record.id)
        if noted is not None and noted.kind != Kind.WITHHELD:
            return _finding(noted)
        if not self._is_time(record.id, "look"):
            return _finding(noted) if noted else None
        seed = self._seed(record)
        if seed is None:
            return None
        rerun = self._models.rerun(subject.model)
        drawn = self._drawn(record, seed)
        fetched = self._stores.load(record)
        if fetched.data is None:
            found = Finding(Kind.WITHHELD, drawn[0], "; ".join(fetched.failures.values()))
        else:
            domain = self._registry.domain
            found = inspect(fetched.data, subject.rules, domain, drawn, rerun)
            if found.kind in (Kind.GOOD, Kind.UNSIGNED):
                # A fault convicts at once, a leaf that nobody can reveal only in time.
                found = self._repeated(subject, fetched.data) or found
        if found.kind is Kind.WITHHELD:
            self._put_off(record.id, "look")
            found = self._wrongly_revealed(record, rerun) or found
        self._note(record.id, noted, found, seed)
        return found

    def _note(self, batch_id: bytes, before: Noted | None, found: Finding, seed: bytes) -> None:
        row = Noted(found.kind, found.leaf_index, found.note, found.executed, seed)
        if row != before:
            self.journal.note_finding(batch_id, row)
            _LOG.info(
                "looked at a batch",
                batch=batch_id,
                finding=found.kind.value,
                leaf=found.leaf_index,
                note=found.note,
                executed=found.executed,
            )

    def _seed(self, record: BatchRecord) -> bytes | None:
        """Return what the draw hangs on; None while the block that gives it is to come."""
        juror = self._juror_for(record)
        if juror is None:
            # Nobody has to draw the same leaves: nobody can know them before either.
            return os.urandom(32)
        number = record.stamp.committed_block + juror.terms.seed_delay
        if self.reader.head <= number:
            return None
        return bytes(self._registry.w3.eth.get_block(number)["hash"])

    def _drawn(self, record: BatchRecord, seed: bytes) -> list[int]:
        juror = self._juror_for(record)
        least = juror.terms.min_drawn if juror else 1
        # A larger draw of the same seed begins with the leaves of a smaller one.
        many = max(least, self._settings.drawn or (least if juror else DRAWN))
        return sorted(set(draw(seed, record.id, many, record.batch.count)))

    def _repeated(self, subject: Subject, data: BatchData) -> Finding | None:
        index = self._repeats.first(data, subject.earlier)
        return None if index is None else Finding(Kind.FAULTY, index, "repeat")

    def _wrongly_revealed(self, record: BatchRecord, rerun: Rerun) -> Finding | None:
        """Look at what the chain has of a batch whose data no store has."""
        for opening, entry in self._revealed.of(record.batch):
            try:
                (right,) = rerun.right([entry])
            except BytesMissingError:
                continue
            if not right:
                return Finding(Kind.WRONG, opening.leaf_index, "another output, revealed", 1)
        return None

    def _opened(self, record: BatchRecord, index: int) -> tuple[Opening, Record] | None:
        """Return a leaf from the batch's data, or from its reveal; None when neither has it."""
        data = self._stores.load(record).data
        if data is not None and index < len(data.records):
            return data.opening(index), data.records[index]
        return next(
            (one for one in self._revealed.of(record.batch) if one[0].leaf_index == index), None
        )

    def _juror_for(self, record: BatchRecord) -> Juror | None:
        """Return the juror if it is this batch's attestor."""
        with self._lock:
            attestor = self._rules(record).attestors[Grade.AUDITED - 1]
        return self._juror if self._juror and self._juror.address == attestor else None

    # Acting

    def _act(self, subject: Subject, found: Finding) -> None:
        record = subject.record
        if found.kind is Kind.GOOD:
            self._attest(subject)
            if self._settings.demands is Demands.ALWAYS:
                self._demand(subject, self._chosen(record, found), with_bytes=True)
        elif found.kind is Kind.WITHHELD:
            waited = subject.now - record.stamp.committed_at >= self._settings.missing_after
            if waited and self._settings.demands is not Demands.NEVER:
                self._demand(subject, self._chosen(record, found), with_bytes=True)
        elif not self._settings.challenge:
            return
        elif found.kind is Kind.WRONG:
            self._convict(subject, found.leaf_index)
        elif found.kind is Kind.FAULTY:
            kept = self._stores.kept
            self._make(subject, lambda board: fault(board, self._registry, record.id, kept))
        elif found.kind in (Kind.UNSIGNED, Kind.SHORT):
            self._demand(subject, [found.leaf_index], with_bytes=False)

    def _chosen(self, record: BatchRecord, found: Finding) -> list[int]:
        """Return the leaf that a finding names, and the others that were drawn."""
        noted = self.journal.finding(record.id)
        drawn = self._drawn(record, noted.seed) if noted else []
        return [found.leaf_index, *(index for index in drawn if index != found.leaf_index)]

    def _attest(self, subject: Subject) -> None:
        record, juror = subject.record, self._juror_for(subject.record)
        if juror is None or record.grade >= Grade.AUDITED or record.lapsed:
            return
        if record.state is not State.OPEN or self._only_says(record, "audit"):
            return
        noted = self.journal.finding(record.id)
        seed = self._seed(record)
        if noted is None or seed is None:
            return
        if noted.seed != seed:
            # The chain reorganised: other leaves are drawn, and run with the next round.
            self.journal.forget_finding(record.id)
            return
        statement = juror.state(Audit(record.id, seed, juror.terms.min_drawn))
        evidence = juror.evidence(statement) if statement else None
        if evidence is not None:
            self._make(
                subject,
                lambda board: attest(board, self._registry, record.id, Grade.AUDITED, evidence),
            )

    def _convict(self, subject: Subject, index: int) -> None:
        """Disprove a wrong leaf where the arbiter runs the model itself, else challenge it."""
        record, registry = subject.record, self._registry
        opened = self._opened(record, index)
        if opened is None or subject.rules.arbiter == ZERO_ADDRESS:
            return
        opening, entry = opened
        proof = self._models.rerun(subject.model).evidence(subject.model, entry)
        if proof is not None:
            outcome = self._make(
                subject, lambda board: disprove(board, registry, record.id, opening, proof)
            )
            if outcome in (Outcome.SENT, Outcome.MADE, Outcome.DRY):
                return
        if record.state is State.OPEN and not self._disputed(record, _CHALLENGED):
            self._make(
                subject,
                lambda board: challenge(board, registry, record.id, opening),
                bond=subject.rules.challenge_bond,
            )

    def _demand(self, subject: Subject, indices: Sequence[int], with_bytes: bool) -> None:
        """Demand the first of some leaves; where another demand is allowed, the next one."""
        record = subject.record
        if record.state is not State.OPEN:
            return
        turn = self._disputed(record, _DEMANDED)
        while turn < self._settings.demands_per_batch and self.outbox.made(
            record.id, "demand", turn
        ):
            turn += 1
        if turn >= self._settings.demands_per_batch:
            return
        index = indices[turn % len(indices)]
        with_bytes = with_bytes and bool(subject.rules.max_bytes)
        self._make(
            subject,
            lambda board: demand(board, self._registry, record.id, index, with_bytes),
            turn=turn,
            bond=subject.rules.demand_bond,
        )

    def _disputed(self, record: BatchRecord, topic: bytes) -> int:
        """Return how often this node has disputed a batch, by the chain: a journal can be lost."""
        me = bytes(12) + self.outbox.address
        return sum(data[:32] == me for _, data in self.journal.logged(topic, record.id))

    def _end(self, subject: Subject, move: Callable[[Board, Registry, bytes], Call]) -> None:
        """End a dispute whose time is over; whose dispute it is goes first."""
        dispute = subject.record.dispute
        assert dispute is not None
        late = subject.now - dispute.due
        seat = self._juror.seat if self._juror and late > 0 else None
        before = 0 if dispute.party == self.outbox.address else 1 + (seat.member if seat else 0)
        if late > before * self._settings.turn_every:
            self._make(
                subject, lambda board: move(board, self._registry, subject.record.id), dispute.due
            )

    def _rule(self, subject: Subject) -> None:
        """Have the arbiter rule on a challenge: by running the model, or by the committee."""
        record, dispute = subject.record, subject.record.dispute
        assert dispute is not None
        if subject.now > dispute.due:
            return
        opened = self._opened(record, dispute.leaf_index)
        if opened is None:
            return
        rerun = self._models.rerun(subject.model)
        _, entry = opened
        evidence: bytes | None
        if self._juror and subject.rules.arbiter == self._juror.address:
            if self._only_says(record, "verdict"):
                return
            (right,) = rerun.right([entry])
            ruling = Ruling.UPHELD if right else Ruling.REJECTED
            says = Verdict(record.id, dispute.leaf_index, dispute.leaf, ruling)
            statement = self._juror.state(says)
            evidence = self._juror.evidence(statement) if statement else None
        else:
            evidence = rerun.evidence(subject.model, entry)
        if evidence is not None:
            leaf = entry.inference(record.batch.model_id, record.batch.operator)
            self._make(
                subject,
                lambda board: resolve(board, self._registry, record.id, leaf, evidence),
                dispute.due,
            )

    def _make(
        self, subject: Subject, move: Callable[[Board], Call], turn: int = 0, bond: int = 0
    ) -> Outcome | None:
        """Send a move if the ledger, as it stands now, allows it; None when it does not."""
        with self._lock:
            board = Board(self._ledger, self.reader.now, self.outbox.address)
            try:
                call = move(board)
            except MoveError as error:
                _LOG.debug("no move", batch=subject.record.id, reason=str(error))
                if "credit" in str(error) and self._is_time(subject.record.id, "credit"):
                    self._put_off(subject.record.id, "credit")
                    _LOG.warning("no credit for a bond", reason=str(error))
                return None
        if not self._is_time(subject.record.id, call.name):
            return Outcome.REFUSED
        intent = Intent(subject.record.id, call, turn, subject.rules.asset, bond)
        outcome = self.outbox.send(intent, subject.now)
        if outcome in (Outcome.REFUSED, Outcome.TOO_DEAR):
            self._put_off(subject.record.id, call.name)
        return outcome

    def _convict_jurors(self) -> None:
        """Burn the stake of members who audited what a ruling or a disproof then rejected."""
        juror = self._juror
        if juror is None or not self._settings.challenge:
            return
        with self._lock:
            wrongly_audited = [
                replace(record)
                for record in self._ledger.batches.values()
                if record.state is State.REJECTED
                and record.grade is Grade.AUDITED
                and record.cause in (Cause.RULING, Cause.DISPROOF)
                and self._is_watched(record)
                and self._rules(record).attestors[Grade.AUDITED - 1] == juror.address
            ]
        for record in wrongly_audited:
            made = self.outbox.made(record.id, "convict")
            if made or not self._is_time(record.id, "convict"):
                continue
            # Whoever was first, the stake is gone then: asked again seldom.
            self._put_off(record.id, "convict", _SELDOM)
            own, w3 = juror.seat, self._registry.w3
            place = own.member if own else None
            call = conviction(w3, juror.panel, self.journal, record.batch, record.leaf_index, place)
            if call is not None:
                self.outbox.send(Intent(record.id, call), self.reader.now)

    def _claim(self) -> None:
        """Take what rulings gave out of the core, once a day."""
        left = self._settings.claim_above
        if left is None:
            return
        me, now = self.outbox.address, self.reader.now
        with self._lock:
            credits = {
                asset: amount
                for (asset, account), amount in self._ledger.credits.items()
                if account == me and amount > left
            }
        for asset, amount in credits.items():
            to = "0x" + me.hex()
            call = self._registry.call("withdraw", "0x" + asset.hex(), to, amount - left)
            # Of one day and asset, by what stands for a batch.
            self.outbox.send(Intent(asset + ZERO32[:12], call, now // DAY), now)

    # Help

    def _rules(self, record: BatchRecord) -> Rules:
        return self._ledger.networks[record.batch.network_id].rules

    @staticmethod
    def _bond(rules: Rules, kind: DisputeKind) -> int:
        return rules.challenge_bond if kind is DisputeKind.CHALLENGE else rules.demand_bond

    def _is_time(self, batch_id: bytes, what: str) -> bool:
        return time.monotonic() >= self._later.get((batch_id, what), 0.0)

    def _put_off(self, batch_id: bytes, what: str, seconds: float | None = None) -> None:
        self._later[batch_id, what] = time.monotonic() + (seconds or self._settings.look_every)

    def _only_says(self, record: BatchRecord, what: str) -> bool:
        """Whether this is a dry run; if so, say once what would have been signed."""
        if self.outbox.dry_run and (record.id, what) not in self._later:
            self._put_off(record.id, what)
            _LOG.info("would have signed", batch=record.id, kind=what)
        return self.outbox.dry_run

    def _guarded(self, what: str, work: Callable[[], None], **facts: object) -> None:
        try:
            work()
        except EXPECTED as error:
            self.failures += 1
            reason = " ".join(str(error).split()) or type(error).__name__
            _LOG.warning("failed; tried again", what=what, reason=reason, **facts)


def _finding(noted: Noted) -> Finding:
    return Finding(Kind(noted.kind), noted.leaf_index, noted.note, noted.executed)
