"""What a node takes beside its work on batches: stake of jurors who were wrong, and its credit."""

from tallystick.enums import Cause
from tallystick.ledger import BatchRecord
from tallystick.node.settings import Verifier as Settings
from tallystick.node.verifier.audited import Proof, conviction
from tallystick.node.verifier.inspection import Kind
from tallystick.node.verifier.journal import Journal
from tallystick.node.verifier.jury import Juror
from tallystick.node.verifier.later import Later
from tallystick.node.verifier.looking import Looking
from tallystick.node.verifier.models import BytesMissingError, Models
from tallystick.node.verifier.money import DAY
from tallystick.node.verifier.outbox import Intent, Outbox
from tallystick.node.verifier.watch import Watch
from tallystick.words import ZERO32

_SELDOM = 3600.0
"""Seconds."""
_CONVICTING = (Cause.RULING, Cause.DISPROOF, Cause.ORDER, Cause.DEADLINE)


class Collecting:
    """Convicts jurors, and withdraws.

    Args:
        settings: the verifier's.
        watch: what is known of the chain.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        looking: has the leaves.
        models: that can be run here.
        later: what is put off.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        journal: Journal,
        outbox: Outbox,
        looking: Looking,
        models: Models,
        later: Later,
    ) -> None:
        self._settings, self._watch, self._journal = settings, watch, journal
        self._outbox, self._looking, self._models = outbox, looking, models
        self._later = later

    def convict_jurors(self) -> None:
        """Burn the stake of members whose audit turned out wrong."""
        if not self._settings.challenge:
            return
        for juror in self._watch.jurors:
            for record in self._watch.audited(juror):
                self._convict(juror, record)

    def _convict(self, juror: Juror, record: BatchRecord) -> None:
        found = self._journal.finding(record.id)
        is_wrong = found is not None and found.kind == Kind.WRONG
        # Nobody is convicted of a batch that was rejected for something else, or became final,
        # unless this node has seen a wrong leaf.
        if record.cause not in _CONVICTING and not is_wrong:
            return
        made = any(self._outbox.made(record.id, name) for name in ("convict", "convictOnEvidence"))
        if made or not self._later.is_time(record.id, "convict"):
            return
        # Whoever was first, the stake is gone then: asked again seldom.
        self._later.put_off(record.id, "convict", _SELDOM)
        seat, archived = juror.seat, self._watch.registry.archived(record.id)
        call = conviction(
            juror.panel,
            self._journal,
            record.batch,
            archived,
            seat.member if seat else None,
            lambda drawn: self._proof(record, drawn) if is_wrong else None,
        )
        if call is not None:
            self._outbox.send(Intent(record.id, call), self._watch.reader.now)

    def _proof(self, record: BatchRecord, drawn: set[int]) -> Proof | None:
        """Return a drawn leaf that is wrong, and evidence for an arbiter that runs the model."""
        model = self._watch.model(record)
        rerun = self._models.rerun(model)
        for index in sorted(drawn):
            opened = self._looking.opened(record, index)
            if opened is None:
                continue
            opening, entry = opened
            try:
                (right,) = rerun.right([entry])
            except BytesMissingError:
                continue
            evidence = None if right else rerun.evidence(model, entry)
            if evidence is not None:
                return opening, evidence
        return None

    def claim(self) -> None:
        """Take what rulings gave out of the core, once a day."""
        left = self._settings.claim_above
        if left is None:
            return
        to, now = "0x" + self._watch.address.hex(), self._watch.reader.now
        for asset, amount in self._watch.credits().items():
            if amount <= left:
                continue
            named = "0x" + asset.hex()
            call = self._watch.registry.call("withdraw", named, to, amount - left)
            # Of one day and asset, by what stands for a batch.
            self._outbox.send(Intent(asset + ZERO32[:12], call, now // DAY), now)
