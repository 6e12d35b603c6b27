"""Responses to a finding: attest, disprove, challenge, demand, or rule."""

from collections.abc import Callable, Sequence

from tallystick.actions.chain_view import ActionError, ChainView, CreditError
from tallystick.actions.convict import disprove, fault
from tallystick.actions.disputes import lapse, resolve, timeout
from tallystick.actions.open_batch import attest, challenge, demand
from tallystick.chain.call import Call
from tallystick.node.log import get_log
from tallystick.node.settings import Demands
from tallystick.node.settings import VerifierSettings as Settings
from tallystick.node.verifier.backoff import Backoff
from tallystick.node.verifier.fetch import Stores
from tallystick.node.verifier.findings import Finding, FindingKind
from tallystick.node.verifier.games import Games
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.node.verifier.models import Models
from tallystick.node.verifier.outbox import Intent, Outbox, SendResult
from tallystick.node.verifier.second_look import SecondLook
from tallystick.node.verifier.turns import Turns
from tallystick.node.verifier.watch import OpenBatch, Watch
from tallystick.protocol import verdicts
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.batch import Dispute
from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.enums import DisputeKind, Grade, Ruling, State
from tallystick.protocol.events import BatchChallenged, BatchDemanded
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.opening import OpenedLeaf

_LOG = get_log("verifier")


class Responder:
    """Makes the moves that a finding or a dispute asks for, each once.

    Args:
        settings: the verifier's.
        watch: what is known of the chain.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        stores: of the operators.
        models: that can be run here.
        backoff: what is put off.
        second: reads again what a verdict rests on.
        games: plays on where a challenge begins a replay game.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        journal: VerifierJournal,
        outbox: Outbox,
        stores: Stores,
        models: Models,
        backoff: Backoff,
        second: SecondLook,
        games: Games,
    ) -> None:
        self._settings, self._watch, self._registry = settings, watch, watch.registry
        self._journal, self._outbox, self._stores = journal, outbox, stores
        self._models, self._backoff = models, backoff
        self._second, self._games = second, games
        self._turns = Turns(watch, settings.turn_every)

    def on_finding(self, open_batch: OpenBatch, found: Finding) -> None:
        """Do what a finding asks for."""
        record = open_batch.record
        if found.kind is FindingKind.GOOD:
            self._attest(open_batch, found.seed)
            if self._settings.demands is Demands.ALWAYS:
                self._demand_any(open_batch, found.choice)
        elif found.kind is FindingKind.WITHHELD:
            waited = open_batch.now - record.stamp.committed_at >= self._settings.missing_after
            if waited:
                self._demand_any(open_batch, found.choice)
        elif found.kind is FindingKind.LATE:
            # Auditors of a pool are strangers to each other: what was kept back is to be public.
            if self._watch.auditor_for(open_batch.rules) is self._watch.auditor is not None:
                self._demand_any(open_batch, found.drawn)
        elif not self._settings.challenge:
            return
        elif found.kind is FindingKind.WRONG:
            self._convict(open_batch, found.leaf)
        elif found.kind is FindingKind.FAULTY:
            kept = self._stores.kept
            if self._turns.is_mine(open_batch, "fault", record.stamp.closes_at):
                self._make(open_batch, lambda view: fault(view, self._registry, record.id, kept))
        elif found.kind in (FindingKind.UNSIGNED, FindingKind.SHORT):
            self._demand_this(open_batch, found.leaf_index)

    def on_clock(self, open_batch: OpenBatch, dispute: Dispute) -> None:
        """End a dispute whose time is over; whose dispute it is goes first."""
        move = timeout if dispute.kind is DisputeKind.DEMAND else lapse
        late = open_batch.now - dispute.due
        place = self._watch.place() if late > 0 else None
        before = 0 if dispute.party == self._watch.address else 1 + (place or 0)
        if late > before * self._settings.turn_every:
            self._make(
                open_batch,
                lambda view: move(view, self._registry, open_batch.record.id),
                dispute.due,
            )

    def on_challenge(self, open_batch: OpenBatch, dispute: Dispute, leaf: OpenedLeaf) -> None:
        """Have the arbiter rule on a challenge: by running the model, or by the committee.

        Args:
            open_batch: the batch.
            dispute: its, while a ruling is in time.
            leaf: the challenged one.
        """
        record, judge = open_batch.record, self._watch.judge_for(open_batch.rules)
        auditor = self._watch.auditor
        if auditor is not None and open_batch.rules.arbiter == auditor.address:
            # A panel of the pool rules, in a case.
            return
        rerun, entry = self._models.rerun(open_batch.model), leaf.record
        evidence: bytes | None
        if judge is not None:
            if self._only_says(record, "verdict"):
                return
            (judged,) = rerun.judge([entry])
            if judged.verdict is verdicts.Verdict.DOUBTFUL:
                # Neither side is to lose by what can't be told: without a ruling both get theirs.
                self._say_doubtful(record, dispute.leaf_index, judged.reason)
                return
            if judged.verdict is verdicts.Verdict.WRONG:
                self._journal.unsay_good(record.id, dispute.leaf_index)
                place = self._watch.seed_block(open_batch), self._watch.head, self._watch.looks
                if not self._second.stands(record, *place):
                    return
            good = judged.verdict is verdicts.Verdict.GOOD
            ruling = Ruling.UPHELD if good else Ruling.REJECTED
            says = Verdict(record.id, dispute.leaf_index, dispute.leaf, ruling)
            statement = judge.state(says)
            evidence = judge.evidence(statement) if statement else None
        else:
            evidence = rerun.evidence(open_batch.model, entry)
            if not self._turns.is_mine(open_batch, f"resolve {dispute.due}", dispute.due):
                return
        if evidence is not None:
            inference = leaf.opening.inference
            self._make(
                open_batch,
                lambda view: resolve(view, self._registry, record.id, inference, evidence),
                dispute.due,
            )

    def _attest(self, open_batch: OpenBatch, drawn_by: bytes) -> None:
        record, membership = open_batch.record, self._watch.membership_for(open_batch.rules)
        if membership is None or record.grade >= Grade.AUDITED or record.lapsed:
            return
        if record.state is not State.OPEN or self._only_says(record, "audit"):
            return
        seed = self._watch.seed(record, membership)
        if seed is None:
            return
        if drawn_by != seed:
            # The chain reorganised: other leaves are drawn, and run with the next round.
            self._journal.forget_finding(record.id)
            return
        statement = membership.state(Audit(record.id, record.stamp.committed_at, seed))
        evidence = membership.evidence(statement) if statement else None
        if evidence is not None:
            self._make(
                open_batch,
                lambda view: attest(view, self._registry, record.id, Grade.AUDITED, evidence),
            )

    def _convict(self, open_batch: OpenBatch, leaf: OpenedLeaf | None) -> None:
        """Disprove a wrong leaf where the arbiter runs the model itself, else challenge it."""
        record, registry = open_batch.record, self._registry
        if leaf is None or open_batch.rules.arbiter == ZERO_ADDRESS:
            return
        if not self._turns.is_mine(open_batch, "convict", record.stamp.closes_at):
            return
        opening = leaf.opening
        proof = self._models.rerun(open_batch.model).evidence(open_batch.model, leaf.record)
        if proof is not None:
            outcome = self._make(
                open_batch, lambda view: disprove(view, registry, record.id, opening, proof)
            )
            if outcome in (SendResult.SENT, SendResult.MADE, SendResult.DRY):
                return
        if record.grade is Grade.PROVEN:
            if self._backoff.is_first(record.id, "proven"):
                _LOG.error(
                    "proven, but wrong here; a proven batch cannot be challenged",
                    batch=record.id,
                    leaf=opening.leaf_index,
                )
            return
        if record.state is not State.OPEN or self._challenged(record):
            return
        gas = self._games.gas_to_come(open_batch, leaf)
        if gas is not None:
            self._make(
                open_batch,
                lambda view: challenge(view, registry, record.id, opening),
                bond=open_batch.rules.challenge_bond,
                gas_to_come=gas,
            )

    def _demand_any(self, open_batch: OpenBatch, indices: Sequence[int]) -> None:
        """Demand the first of some leaves, with its bytes; where more is allowed, the next one.

        Demands of members whose turn is before this node's count as its own: an operator that
        answers would have a bond of each. Others' don't: they may be the operator's.
        """
        record = open_batch.record
        before = {
            one for member in self._turns.before(open_batch) for one in (member.account, member.key)
        } | set(self._turns.keys_before(open_batch))
        theirs = sum(one.demander in before for one in self._demands(record))
        turn = self._next_demand(record)
        if turn + theirs < self._settings.demands_per_batch:
            with_bytes = bool(open_batch.rules.max_bytes)
            self._demand(open_batch, indices[turn % len(indices)], with_bytes, turn)

    def _demand_this(self, open_batch: OpenBatch, index: int) -> None:
        """Demand a leaf that nobody can reveal, once, whatever other leaf was demanded before."""
        record = open_batch.record
        own = [one for one in self._demands(record) if one.demander == self._watch.address]
        turn = self._next_demand(record)
        is_made = any(one.leaf_index == index for one in own) or turn > len(own)
        if self._settings.demands_per_batch and not is_made:
            self._demand(open_batch, index, False, turn)

    def _demand(self, open_batch: OpenBatch, index: int, with_bytes: bool, turn: int) -> None:
        record = open_batch.record
        if record.state is not State.OPEN or self._settings.demands is Demands.NEVER:
            return
        if not self._turns.is_mine(open_batch, "demand", record.stamp.closes_at):
            return
        self._make(
            open_batch,
            lambda view: demand(view, self._registry, record.id, index, with_bytes),
            turn=turn,
            bond=open_batch.rules.demand_bond,
        )

    def _next_demand(self, record: BatchState) -> int:
        """Return how many demands on a batch this node has made, by the chain and its journal."""
        turn = sum(one.demander == self._watch.address for one in self._demands(record))
        while self._outbox.made(record.id, "demand", turn):
            turn += 1
        return turn

    def _challenged(self, record: BatchState) -> int:
        """Return how often this node has challenged a batch, by the chain: journals get lost."""
        made = self._watch.follower.events(BatchChallenged, record.id)
        return sum(one.challenger == self._watch.address for one in made)

    def _demands(self, record: BatchState) -> list[BatchDemanded]:
        """Return the demands on a batch so far, by the chain."""
        return self._watch.follower.events(BatchDemanded, record.id)

    def _make(
        self,
        open_batch: OpenBatch,
        move: Callable[[ChainView], Call],
        turn: int = 0,
        bond: int = 0,
        gas_to_come: int = 0,
    ) -> SendResult | None:
        """Send a move if the ledger, as it stands now, allows it; None when it does not."""
        batch_id = open_batch.record.id
        try:
            call = self._watch.call(move)
        except CreditError as error:
            if self._backoff.is_time(batch_id, "credit"):
                self._backoff.put_off(batch_id, "credit")
                _LOG.warning("no credit for a bond", batch=batch_id, reason=str(error))
            return None
        except ActionError as error:
            _LOG.debug("no move", batch=batch_id, reason=str(error))
            return None
        if not self._backoff.is_time(batch_id, call.name):
            return SendResult.REFUSED
        intent = Intent(batch_id, call, turn, open_batch.rules.asset, bond, gas_to_come)
        outcome = self._outbox.send(intent, open_batch.now)
        if outcome in (SendResult.REFUSED, SendResult.TOO_DEAR):
            self._backoff.put_off(batch_id, call.name)
        return outcome

    def _say_doubtful(self, record: BatchState, index: int, reason: str) -> None:
        if self._backoff.is_first(record.id, f"doubtful {index}"):
            _LOG.info("no ruling: doubtful", batch=record.id, leaf=index, reason=reason)

    def _only_says(self, record: BatchState, what: str) -> bool:
        """Return whether this is a dry run; if so, say once what would have been signed."""
        if self._outbox.dry_run and self._backoff.is_first(record.id, what):
            _LOG.info("would have signed", batch=record.id, kind=what)
        return self._outbox.dry_run
