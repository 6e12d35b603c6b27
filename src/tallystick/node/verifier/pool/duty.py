"""A member's work in a pool: cases first, then audits; appeals and convictions beside them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tallystick.chain.call import Call
from tallystick.chain.pool import HISTORY_BLOCKS
from tallystick.node.log import get_log
from tallystick.node.settings import VerifierSettings
from tallystick.node.verifier.backoff import Backoff
from tallystick.node.verifier.findings import Finding, FindingKind
from tallystick.node.verifier.inspector import Inspector
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.node.verifier.locks import taken
from tallystick.node.verifier.models import BytesMissingError, Models
from tallystick.node.verifier.outbox import Intent, Outbox
from tallystick.node.verifier.pool.auditor import Auditor
from tallystick.node.verifier.pool.enrolment import Enrolment
from tallystick.node.verifier.pool.events import OpenedCase, PoolEvents
from tallystick.node.verifier.second_look import SecondLook
from tallystick.node.verifier.watch import OpenBatch, Watch
from tallystick.protocol.batch import NO_DISPUTE, Dispute
from tallystick.protocol.enums import Cause, DisputeKind, Grade, Ruling, State
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.opening import OpenedLeaf
from tallystick.protocol.pool import case_id, pack_signatures
from tallystick.protocol.sampling import draw
from tallystick.protocol.verdicts import Verdict

_CONVICTING = (Cause.RULING, Cause.DISPROOF, Cause.ORDER, Cause.DEADLINE)
_SELDOM = 3600.0
"""Seconds."""
_CASE_BITS = 48
"""Of a case's id within a turn, which is an integer of SQLite."""

_LOG = get_log("pool")


class PoolDuty:
    """Work of one key in one pool.

    Args:
        settings: the verifier's.
        auditor: the key.
        watch: what is known of the chain.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        inspector: has the leaves.
        models: that can be run here.
        backoff: what is put off.
        second: reads again what a verdict rests on.
        seats: keeps the key in the lists.
        events: the pool's.
        home: the node's folder, with its locks.
    """

    def __init__(
        self,
        settings: VerifierSettings,
        auditor: Auditor,
        watch: Watch,
        journal: VerifierJournal,
        outbox: Outbox,
        inspector: Inspector,
        models: Models,
        backoff: Backoff,
        second: SecondLook,
        seats: Enrolment,
        events: PoolEvents,
        home: Path,
    ) -> None:
        self._settings, self.auditor, self._watch = settings, auditor, watch
        self._journal, self._outbox, self._inspector = journal, outbox, inspector
        self._models, self._backoff, self._second = models, backoff, second
        self.seats, self.events, self._home = seats, events, home
        self._wrong_since: dict[tuple[bytes, bytes], int] = {}

    def step(self, guarded: Callable[[str, Callable[[], None]], None]) -> None:
        """Do whatever is due that is not about an open batch alone.

        Args:
            guarded: does one thing under a name; one that fails keeps none of the others.
        """
        with taken(self._home / "locks", self.auditor.address.rjust(32, b"\0")) as mine:
            if not mine:
                return
            guarded("pool's events", self.events.sync)
            for case in self.events.cases():
                guarded("case", partial(self._see_to, case))
            guarded("seats", self.seats.step)
            if self._settings.challenge:
                guarded("appeal", self._appeal_recorded)
                guarded("convict", self._convict)

    # Audits

    def on_finding(self, open_batch: OpenBatch, found: Finding) -> None:
        """Sign the audit of a good batch whose panel this key sits on; send what is complete."""
        record, pool = open_batch.record, self.auditor.pool
        if self._watch.auditor_for(open_batch.rules) is not self.auditor or record.lapsed:
            return
        if found.kind is not FindingKind.GOOD or record.grade >= Grade.AUDITED:
            return
        if self.events.record(record.id).keys:
            self._attest_recorded(open_batch)
            return
        seed = self._watch.seed(record, self.auditor)
        if seed is None:
            return
        if found.seed != seed:
            # The chain reorganised: other leaves are drawn, and run with the next round.
            self._journal.forget_finding(record.id)
            return
        panel = self.auditor.audit_panel(record.id, record.stamp, seed)
        if panel is None or panel.entry_of(self.auditor.key) is None:
            return
        if self._only_says(record.id, "audit") or not self._is_paid(record):
            return
        own = self.auditor.state(panel)
        signed = self.auditor.signatures(panel, own) if own else None
        if signed is None:
            return
        model = self._watch.model(record)
        named = model.registrant, model.content_hash, model.parent
        call = pool.call("audit", record.pre_image.abi(), named, pack_signatures(signed))
        self._send(record.id, call)

    def _attest_recorded(self, open_batch: OpenBatch) -> None:
        """Raise the grade of a batch that was disputed while its audit was stored."""
        record = open_batch.record
        if record.state is not State.OPEN:
            return
        stamp, grade = record.stamp.pack(), int(Grade.AUDITED)
        call = self._watch.registry.call("attest", record.batch.abi(), stamp, grade, b"")
        self._send(record.id, call)

    def _is_paid(self, record: BatchState) -> bool:
        """Return whether the operator's escrow covers an audit by the whole panel."""
        terms = self.auditor.terms
        fee = terms.audit_fee(record.batch.count) * (terms.panel + 1)
        escrow = self.auditor.pool.escrow(record.batch.operator)
        if escrow.balance >= fee:
            return True
        if self._backoff.is_time(record.id, "escrow"):
            self._backoff.put_off(record.id, "escrow", _SELDOM)
            _LOG.info("no audit: the operator's escrow is short", batch=record.id, needed=fee)
        return False

    # Cases

    def on_challenge(self, open_batch: OpenBatch, dispute: Dispute, leaf: OpenedLeaf) -> None:
        """Have a panel rule on this node's own challenge."""
        record = open_batch.record
        if open_batch.rules.arbiter == self.auditor.address and dispute.party == self.auditor.key:
            self._appeal(record, leaf, dispute)

    def _see_to(self, case: OpenedCase) -> None:
        """Rule in a case whose panel this key sits on, if the leaf can be checked."""
        if self._is_over(case):
            # Nobody can rule any more; the fee is its payer's again.
            if case.payer == self.auditor.key:
                self._expire(case)
            return
        record = self._watch.record(case.batch_id)
        if record is None or record.batch.model_id not in self._models:
            return
        if record.batch.operator == self.auditor.key:
            return
        challenged = _challenge_of(record, case.leaf_index)
        if case.challenged and case_id(record.id, case.leaf_index, challenged) != case.id:
            return
        seed = self._watch.hash_after(case.seed_block)
        if seed is None or not self._backoff.is_time(case.id, "rule"):
            return
        panel = self.auditor.case_panel(case.id, case.epoch, seed)
        by = self.events.record(record.id)
        if panel is None or panel.entry_of(self.auditor.key) is None:
            return
        if self.auditor.key in by.keys or self._only_says(case.id, "verdict"):
            return
        leaf = self._inspector.opened(record, case.leaf_index)
        right = self._is_right(record, leaf)
        if leaf is None or right is None:
            self._backoff.put_off(case.id, "rule")
            return
        if not right and not self._stands(case, record, seed):
            return
        ruling = Ruling.UPHELD if right else Ruling.REJECTED
        own = self.auditor.state(panel, ruling)
        signed = self.auditor.signatures(panel, own, by.keys) if own else None
        if own is None or signed is None:
            return
        call = self.auditor.pool.call(
            "ruled",
            record.pre_image.abi(),
            leaf.opening.abi(),
            int(own.ruling),
            pack_signatures(signed),
            by.abi(),
        )
        self._send(record.id, call, self._turn(case.id))

    def _is_over(self, case: OpenedCase) -> bool:
        return self._watch.latest > case.seed_block + HISTORY_BLOCKS

    def _expire(self, case: OpenedCase) -> None:
        call = self.auditor.pool.call("expire", case.id)
        self._send(case.batch_id, call, self._turn(case.id))

    def _is_right(self, record: BatchState, leaf: OpenedLeaf | None) -> bool | None:
        """Run a leaf again; None where nobody here can tell, or it is doubtful."""
        if leaf is None:
            return None
        try:
            (judged,) = self._models.rerun(self._watch.model(record)).judge([leaf.record])
        except BytesMissingError:
            return None
        return None if judged.verdict is Verdict.DOUBTFUL else judged.verdict is Verdict.GOOD

    def _stands(self, case: OpenedCase, record: BatchState, seed: bytes) -> bool:
        """Return whether what a rejection rests on was the same at an earlier look."""
        self._journal.unsay_good(record.id, case.leaf_index)
        if case.challenged:
            return self._second.stands(record, case.seed_block, self._watch.head, self._watch.looks)
        return self._wrong_since.setdefault((case.id, seed), self._watch.looks) < self._watch.looks

    # Appeals and convictions

    def _appeal_recorded(self) -> None:
        """Open a case on a drawn wrong leaf, on record, that cannot be challenged any more."""
        for batch_id in self._journal.found(FindingKind.WRONG):
            record = self._watch.record(batch_id)
            if record is None or not self.events.record(batch_id).keys:
                continue
            if record.state not in (State.FINAL, State.DISPUTED):
                continue
            if self.events.is_convicted(batch_id) or self._has_appealed(batch_id):
                continue
            # Not by the move's name, which would put off the move itself.
            if not self._backoff.is_time(batch_id, "drawn leaves"):
                continue
            self._backoff.put_off(batch_id, "drawn leaves")
            if record.batch.model_id not in self._models or self._is_challenged(record):
                continue
            if record.state is State.FINAL and not self._has_stake(batch_id):
                continue
            leaf = self._drawn_wrong(record)
            if leaf is not None:
                self._appeal(record, leaf, NO_DISPUTE)

    def _has_appealed(self, batch_id: bytes) -> bool:
        """Return whether a case of this key is open, or was ever, and none on the batch expired."""
        mine = (one for one in self.events.cases() if one.payer == self.auditor.key)
        if any(one.batch_id == batch_id for one in mine):
            return True
        return not self.events.expired(batch_id) and self._outbox.made(batch_id, "appeal")

    def _has_stake(self, batch_id: bytes) -> bool:
        """Return whether anything is left to burn of who signed a batch's audit."""
        keys = list(self.events.record(batch_id).keys)
        return any(member.seats > 0 for member in self.auditor.pool.members(keys))

    def _is_challenged(self, record: BatchState) -> bool:
        """Return whether a challenge stands that convicts; one of a good leaf is a shield."""
        dispute = record.dispute
        if dispute is None or dispute.kind is not DisputeKind.CHALLENGE:
            return False
        if dispute.party == self.auditor.key:
            return True
        leaf = self._inspector.opened(record, dispute.leaf_index)
        return self._is_right(record, leaf) is False

    def _drawn_wrong(self, record: BatchState) -> OpenedLeaf | None:
        """Return the first leaf of a record's draw that is wrong."""
        seed, terms = self.events.record(record.id).seed, self.auditor.terms
        for index in draw(seed, record.id, terms.min_drawn, record.batch.count):
            leaf = self._inspector.opened(record, index)
            if self._is_right(record, leaf) is False:
                return leaf
        return None

    def _appeal(self, record: BatchState, leaf: OpenedLeaf, dispute: Dispute) -> None:
        key = case_id(record.id, leaf.opening.leaf_index, dispute)
        for case in self.events.cases():
            if case.id == key:
                # One that its payer leaves lying keeps the leaf from being judged.
                if self._is_over(case):
                    self._expire(case)
                return
        turn = self._turn(key)
        if self._outbox.made(record.id, "appeal", turn):
            return
        fee, credit = self.auditor.terms.case_fee, self.auditor.pool.credit(self.auditor.key)
        if credit < fee:
            if self._backoff.is_time(key, "case fee"):
                self._backoff.put_off(key, "case fee", _SELDOM)
                _LOG.warning("no credit for a case", batch=record.id, credit=credit, needed=fee)
            return
        record_of = self.events.record(record.id).abi()
        call = self.auditor.pool.call(
            "appeal", record.pre_image.abi(), leaf.opening.abi(), record_of
        )
        self._send(record.id, call, turn)

    def _convict(self) -> None:
        """Burn the stake of who signed the audit of a batch that was rejected for cause."""
        for batch_id in self.events.recorded():
            record, by = self._watch.record(batch_id), self.events.record(batch_id)
            if record is None or record.state is not State.REJECTED:
                continue
            if self.events.is_convicted(batch_id) or self.auditor.key in by.keys:
                continue
            if record.cause not in _CONVICTING or self._outbox.made(batch_id, "convict"):
                continue
            drawn = draw(by.seed, batch_id, self.auditor.terms.min_drawn, record.batch.count)
            by_leaf = record.cause in (Cause.RULING, Cause.DISPROOF)
            if by_leaf and record.leaf_index not in drawn:
                continue
            self._send(batch_id, self.auditor.pool.call("convict", record.batch.abi(), by.abi()))

    def _send(self, batch_id: bytes, call: Call, turn: int = 0) -> None:
        if not self._backoff.is_time(batch_id, call.name):
            return
        self._backoff.put_off(batch_id, call.name, self._settings.turn_every)
        intent = Intent(batch_id, call, turn, self.auditor.terms.asset)
        self._outbox.send(intent, self._watch.now)

    def _turn(self, key: bytes) -> int:
        """Return what tells a case's moves apart in the journal: the same again once it expired."""
        return self.events.expired(key) << _CASE_BITS | int.from_bytes(key[: _CASE_BITS // 8])

    def _only_says(self, panel_id: bytes, what: str) -> bool:
        """Return whether this is a dry run; if so, say once what would have been signed."""
        if self._outbox.dry_run and self._backoff.is_first(panel_id, what):
            _LOG.info("would have signed", panel=panel_id, kind=what)
        return self._outbox.dry_run


def _challenge_of(record: BatchState, leaf_index: int) -> Dispute:
    """Return a batch's challenge of a leaf; none: it has no such challenge."""
    dispute = record.dispute
    if dispute is None or dispute.kind is not DisputeKind.CHALLENGE:
        return NO_DISPUTE
    return dispute if dispute.leaf_index == leaf_index else NO_DISPUTE
