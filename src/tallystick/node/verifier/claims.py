"""Claims that a node makes beside its batches: stake of members in the wrong, and its credit."""

from tallystick.node.settings import VerifierSettings as Settings
from tallystick.node.verifier.audited import Proof, conviction
from tallystick.node.verifier.backoff import Backoff
from tallystick.node.verifier.budget import DAY
from tallystick.node.verifier.findings import FindingKind
from tallystick.node.verifier.inspector import Inspector
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.node.verifier.membership import Membership
from tallystick.node.verifier.models import BytesMissingError, Models
from tallystick.node.verifier.outbox import Intent, Outbox
from tallystick.node.verifier.watch import Watch
from tallystick.protocol.enums import Cause
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.verdicts import Verdict

_SELDOM = 3600.0
"""Seconds."""
_CONVICTING = (Cause.RULING, Cause.DISPROOF, Cause.ORDER, Cause.DEADLINE)


class Claims:
    """Convicts members, and withdraws.

    Args:
        settings: the verifier's.
        watch: what is known of the chain.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        inspector: has the leaves.
        models: that can be run here.
        backoff: what is put off.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        journal: VerifierJournal,
        outbox: Outbox,
        inspector: Inspector,
        models: Models,
        backoff: Backoff,
    ) -> None:
        self._settings, self._watch, self._journal = settings, watch, journal
        self._outbox, self._inspector, self._models = outbox, inspector, models
        self._backoff = backoff

    def convict_members(self) -> None:
        """Burn the stake of members whose audit turned out wrong."""
        if not self._settings.challenge:
            return
        for membership in self._watch.memberships:
            for record in self._watch.audited(membership):
                self._convict(membership, record)

    def _convict(self, membership: Membership, record: BatchState) -> None:
        found = self._journal.finding(record.id)
        is_wrong = found is not None and found.kind == FindingKind.WRONG
        # Nobody is convicted of a batch that was rejected for something else, or became final,
        # unless this node has seen a wrong leaf.
        if record.cause not in _CONVICTING and not is_wrong:
            return
        made = any(self._outbox.made(record.id, name) for name in ("convict", "convictOnEvidence"))
        if made or not self._backoff.is_time(record.id, "convict"):
            return
        # Whoever was first, the stake is gone then: asked again seldom.
        self._backoff.put_off(record.id, "convict", _SELDOM)
        member, archived = membership.member, self._watch.registry.archived(record.id)
        call = conviction(
            membership.committee,
            self._watch.follower,
            record.batch,
            archived,
            member.index if member else None,
            lambda drawn: self._proof(record, drawn) if is_wrong else None,
        )
        if call is not None:
            self._outbox.send(Intent(record.id, call), self._watch.now)

    def _proof(self, record: BatchState, drawn: set[int]) -> Proof | None:
        """Return a drawn leaf that is wrong, and evidence for an arbiter that runs the model."""
        model = self._watch.model(record)
        rerun = self._models.rerun(model)
        for index in sorted(drawn):
            leaf = self._inspector.opened(record, index)
            if leaf is None:
                continue
            try:
                (judged,) = rerun.judge([leaf.record])
            except BytesMissingError:
                continue
            wrong = judged.verdict is Verdict.WRONG
            evidence = rerun.evidence(model, leaf.record) if wrong else None
            if evidence is not None:
                return leaf.opening, evidence
        return None

    def claim(self) -> None:
        """Take what rulings gave out of the registry, once a day."""
        left = self._settings.claim_above
        if left is None:
            return
        to, now = "0x" + self._watch.address.hex(), self._watch.now
        for asset, amount in self._watch.credits().items():
            if amount <= left:
                continue
            named = "0x" + asset.hex()
            call = self._watch.registry.call("withdraw", named, to, amount - left)
            self._outbox.send(Intent(None, call, now // DAY, asset), now)
