"""What is done about a batch: it is attested, disproved, challenged, asked about, or ruled on."""

from collections.abc import Callable, Sequence

from tallystick.batch import Dispute
from tallystick.chain.call import Call
from tallystick.committee import Audit, Verdict
from tallystick.enums import DisputeKind, Grade, Ruling, State
from tallystick.events import BatchChallenged, BatchDemanded
from tallystick.ledger import BatchRecord
from tallystick.moves.board import Board, MoveError
from tallystick.moves.convict import disprove, fault
from tallystick.moves.disputed import lapse, resolve, timeout
from tallystick.moves.open import attest, challenge, demand
from tallystick.node.log import get_log
from tallystick.node.settings import Demands
from tallystick.node.settings import Verifier as Settings
from tallystick.node.verifier.fetch import Stores
from tallystick.node.verifier.inspection import Finding, Kind
from tallystick.node.verifier.journal import Journal
from tallystick.node.verifier.later import Later
from tallystick.node.verifier.looking import Looking
from tallystick.node.verifier.models import Models
from tallystick.node.verifier.outbox import Intent, Outbox, Outcome
from tallystick.node.verifier.watch import Subject, Watch
from tallystick.words import ZERO_ADDRESS

_LOG = get_log("verifier")


class Acting:
    """Makes the moves that a finding or a dispute asks for, each once.

    Args:
        settings: the verifier's.
        watch: what is known of the chain.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        stores: of the operators.
        models: that can be run here.
        looking: has the leaves.
        later: what is put off.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        journal: Journal,
        outbox: Outbox,
        stores: Stores,
        models: Models,
        looking: Looking,
        later: Later,
    ) -> None:
        self._settings, self._watch, self._registry = settings, watch, watch.registry
        self._journal, self._outbox, self._stores = journal, outbox, stores
        self._models, self._looking, self._later = models, looking, later

    def on_finding(self, subject: Subject, found: Finding) -> None:
        """Do what a finding asks for."""
        record = subject.record
        if found.kind is Kind.GOOD:
            self._attest(subject)
            if self._settings.demands is Demands.ALWAYS:
                self._demand(subject, self._looking.chosen(subject, found), with_bytes=True)
        elif found.kind is Kind.WITHHELD:
            waited = subject.now - record.stamp.committed_at >= self._settings.missing_after
            if waited and self._settings.demands is not Demands.NEVER:
                self._demand(subject, self._looking.chosen(subject, found), with_bytes=True)
        elif not self._settings.challenge:
            return
        elif found.kind is Kind.WRONG:
            self._convict(subject, found.leaf_index)
        elif found.kind is Kind.FAULTY:
            kept = self._stores.kept
            self._make(subject, lambda board: fault(board, self._registry, record.id, kept))
        elif found.kind in (Kind.UNSIGNED, Kind.SHORT):
            self._demand(subject, [found.leaf_index], with_bytes=False)

    def on_clock(self, subject: Subject, dispute: Dispute) -> None:
        """End a dispute whose time is over; whose dispute it is goes first."""
        move = timeout if dispute.kind is DisputeKind.DEMAND else lapse
        late = subject.now - dispute.due
        place = self._watch.place() if late > 0 else None
        before = 0 if dispute.party == self._watch.address else 1 + (place or 0)
        if late > before * self._settings.turn_every:
            self._make(
                subject, lambda board: move(board, self._registry, subject.record.id), dispute.due
            )

    def on_challenge(self, subject: Subject, dispute: Dispute) -> None:
        """Have the arbiter rule on a challenge: by running the model, or by the committee."""
        record, judge = subject.record, self._watch.judge_for(subject.rules)
        if subject.now > dispute.due:
            return
        opened = self._looking.opened(record, dispute.leaf_index)
        if opened is None:
            return
        rerun = self._models.rerun(subject.model)
        _, entry = opened
        evidence: bytes | None
        if judge is not None:
            if self._only_says(record, "verdict"):
                return
            (right,) = rerun.right([entry])
            ruling = Ruling.UPHELD if right else Ruling.REJECTED
            says = Verdict(record.id, dispute.leaf_index, dispute.leaf, ruling)
            statement = judge.state(says)
            evidence = judge.evidence(statement) if statement else None
        else:
            evidence = rerun.evidence(subject.model, entry)
        if evidence is not None:
            leaf = entry.inference(record.batch.model_id, record.batch.operator)
            self._make(
                subject,
                lambda board: resolve(board, self._registry, record.id, leaf, evidence),
                dispute.due,
            )

    def _attest(self, subject: Subject) -> None:
        record, juror = subject.record, self._watch.juror_for(subject.rules)
        if juror is None or record.grade >= Grade.AUDITED or record.lapsed:
            return
        if record.state is not State.OPEN or self._only_says(record, "audit"):
            return
        noted = self._journal.finding(record.id)
        seed = self._looking.seed(subject)
        if noted is None or seed is None:
            return
        if noted.seed != seed:
            # The chain reorganised: other leaves are drawn, and run with the next round.
            self._journal.forget_finding(record.id)
            return
        statement = juror.state(Audit(record.id, record.stamp.committed_at, seed))
        evidence = juror.evidence(statement) if statement else None
        if evidence is not None:
            self._make(
                subject,
                lambda board: attest(board, self._registry, record.id, Grade.AUDITED, evidence),
            )

    def _convict(self, subject: Subject, index: int) -> None:
        """Disprove a wrong leaf where the arbiter runs the model itself, else challenge it."""
        record, registry = subject.record, self._registry
        opened = self._looking.opened(record, index)
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
        if record.state is State.OPEN and not self._challenged(record):
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
        turn = self._demanded(record)
        while turn < self._settings.demands_per_batch and self._outbox.made(
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

    def _challenged(self, record: BatchRecord) -> int:
        """Return how often this node has challenged a batch, by the chain: journals get lost."""
        made = self._journal.events(BatchChallenged, record.id)
        return sum(one.challenger == self._watch.address for one in made)

    def _demanded(self, record: BatchRecord) -> int:
        """Return how often this node has demanded a leaf of a batch, by the chain."""
        made = self._journal.events(BatchDemanded, record.id)
        return sum(one.demander == self._watch.address for one in made)

    def _make(
        self, subject: Subject, move: Callable[[Board], Call], turn: int = 0, bond: int = 0
    ) -> Outcome | None:
        """Send a move if the ledger, as it stands now, allows it; None when it does not."""
        batch_id = subject.record.id
        try:
            call = self._watch.call(move)
        except MoveError as error:
            _LOG.debug("no move", batch=batch_id, reason=str(error))
            if "credit" in str(error) and self._later.is_time(batch_id, "credit"):
                self._later.put_off(batch_id, "credit")
                _LOG.warning("no credit for a bond", reason=str(error))
            return None
        if not self._later.is_time(batch_id, call.name):
            return Outcome.REFUSED
        intent = Intent(batch_id, call, turn, subject.rules.asset, bond)
        outcome = self._outbox.send(intent, subject.now)
        if outcome in (Outcome.REFUSED, Outcome.TOO_DEAR):
            self._later.put_off(batch_id, call.name)
        return outcome

    def _only_says(self, record: BatchRecord, what: str) -> bool:
        """Whether this is a dry run; if so, say once what would have been signed."""
        if self._outbox.dry_run and self._later.is_first(record.id, what):
            _LOG.info("would have signed", batch=record.id, kind=what)
        return self._outbox.dry_run
