"""What a node takes beside its work on batches: stake of jurors who were wrong, and its credit."""

from tallystick.node.settings import Verifier as Settings
from tallystick.node.verifier.audited import conviction
from tallystick.node.verifier.journal import Journal
from tallystick.node.verifier.later import Later
from tallystick.node.verifier.money import DAY
from tallystick.node.verifier.outbox import Intent, Outbox
from tallystick.node.verifier.watch import Watch
from tallystick.words import ZERO32

_SELDOM = 3600.0
"""Seconds."""


class Collecting:
    """Convicts jurors, and withdraws.

    Args:
        settings: the verifier's.
        watch: what is known of the chain.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        later: what is put off.
    """

    def __init__(
        self, settings: Settings, watch: Watch, journal: Journal, outbox: Outbox, later: Later
    ) -> None:
        self._settings, self._watch, self._journal = settings, watch, journal
        self._outbox, self._later = outbox, later

    def convict_jurors(self) -> None:
        """Burn the stake of members who audited what a ruling or a disproof then rejected."""
        juror = self._watch.juror
        if juror is None or not self._settings.challenge:
            return
        for record in self._watch.wrongly_audited(juror):
            made = self._outbox.made(record.id, "convict")
            if made or not self._later.is_time(record.id, "convict"):
                continue
            # Whoever was first, the stake is gone then: asked again seldom.
            self._later.put_off(record.id, "convict", _SELDOM)
            own, panel = juror.seat, juror.panel
            place = own.member if own else None
            call = conviction(panel, self._journal, record.batch, record.leaf_index, place)
            if call is not None:
                self._outbox.send(Intent(record.id, call), self._watch.reader.now)

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
