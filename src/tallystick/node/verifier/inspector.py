"""Finding out what is the matter with a batch: noted before anybody can see it, and once."""

import os
from dataclasses import replace
from random import Random

from tallystick.node.log import get_log
from tallystick.node.settings import VerifierSettings as Settings
from tallystick.node.verifier.ahead import Ahead
from tallystick.node.verifier.backoff import Backoff
from tallystick.node.verifier.fetch import Stores
from tallystick.node.verifier.findings import Finding, FindingKind, inspect
from tallystick.node.verifier.journal import StoredFinding, VerifierJournal
from tallystick.node.verifier.models import BytesMissingError, Models, Rerun
from tallystick.node.verifier.repeats import Repeats
from tallystick.node.verifier.revealed import Revealed
from tallystick.node.verifier.watch import OpenBatch, Watch
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.opening import OpenedLeaf
from tallystick.protocol.sampling import draw
from tallystick.protocol.verdicts import Verdict
from tallystick.storage.margins_file import MarginsFile

DRAWN = 64
"""Leaves run again where neither committee nor pool says how many, and no setting does."""

_LOG = get_log("verifier")


class Inspector:
    """Fetches batches, draws leaves and has them run again.

    Args:
        settings: the verifier's.
        watch: what is known of the chain.
        journal: the node's.
        stores: of the operators.
        revealed: what operators opened on chain.
        models: that can be run here.
        backoff: what is put off.
        margins: where measured answers are noted.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        journal: VerifierJournal,
        stores: Stores,
        revealed: Revealed,
        models: Models,
        backoff: Backoff,
        margins: MarginsFile,
    ) -> None:
        self._settings, self._watch, self._journal = settings, watch, journal
        self._stores, self._revealed, self._models = stores, revealed, models
        self._backoff, self._margins = backoff, margins
        self._secret = journal.secret("draw")
        self._ahead = Ahead(settings, watch, journal, stores, backoff)
        self._repeats = Repeats(lambda record: stores.load(record).data)

    def found(self, open_batch: OpenBatch) -> Finding | None:
        """Return what is the matter, found out now if it was not before; None: not known yet."""
        record = open_batch.record
        noted = self._journal.finding(record.id)
        if noted is not None and noted.kind != FindingKind.WITHHELD:
            return self._finding(open_batch, noted)
        if not self._backoff.is_time(record.id, "look"):
            return self._finding(open_batch, noted) if noted else None
        draws = self._watch.auditor_for(open_batch.rules)
        # Where nobody has to draw the same leaves, nobody can know them before either.
        seed = self._watch.seed(record, draws) if draws else os.urandom(32)
        if seed is None:
            self._ahead.ask(open_batch)
            return None
        rerun = self._models.rerun(open_batch.model)
        drawn = self._drawn(open_batch, seed)
        fetched = self._stores.load(record)
        if fetched.data is None and fetched.put_off:
            self._backoff.put_off(record.id, "look")
            return None
        if fetched.data is None:
            note = "; ".join(fetched.failures.values())
            found = Finding(FindingKind.WITHHELD, drawn[0], note, drawn=tuple(drawn))
        else:
            data, domain = fetched.data, self._watch.registry.domain
            found = inspect(
                data,
                open_batch.rules,
                domain,
                drawn,
                rerun,
                lambda: self._repeats.taken(data, open_batch.earlier),
            )
            self._note_margins(record, rerun, found)
        if found.kind is FindingKind.WITHHELD:
            self._backoff.put_off(record.id, "look")
            found = self._wrongly_revealed(record, rerun) or found
        if found.kind is FindingKind.GOOD and draws and self._ahead.is_late(open_batch):
            note = "the data came only when the draw was known"
            found = replace(found, kind=FindingKind.LATE, note=note)
        found = replace(found, seed=seed)
        self._note(record.id, noted, found)
        return found

    def opened(self, record: BatchState, index: int) -> OpenedLeaf | None:
        """Return a leaf from the batch's data, or from its reveal; None when neither has it."""
        data = self._stores.load(record).data
        if data is not None and index < len(data.records):
            return data.leaf(index)
        revealed = self._revealed.of(record.batch)
        return next((one for one in revealed if one.opening.leaf_index == index), None)

    def _drawn(self, open_batch: OpenBatch, seed: bytes) -> list[int]:
        """Return the leaves to be run again, in the order in which this node would demand them.

        Some of them, and the order, nobody else can know.
        """
        draws = self._watch.auditor_for(open_batch.rules)
        least = draws.terms.min_drawn if draws else 1
        # A larger draw of the same seed begins with the leaves of a smaller one.
        many = max(least, self._settings.drawn or (least if draws else DRAWN))
        batch_id, count = open_batch.record.id, open_batch.record.batch.count
        own = keccak256(self._secret + batch_id)
        private = draw(own, batch_id, self._settings.drawn_private, count)
        leaves = sorted({*draw(seed, batch_id, many, count), *private})
        Random(own).shuffle(leaves)
        return leaves

    def _wrongly_revealed(self, record: BatchState, rerun: Rerun) -> Finding | None:
        """Look at what the chain has of a batch whose data no store has."""
        for leaf in self._revealed.of(record.batch):
            try:
                (judged,) = rerun.judge([leaf.record])
            except BytesMissingError:
                continue
            if judged.verdict is Verdict.WRONG:
                index = leaf.opening.leaf_index
                return Finding(FindingKind.WRONG, index, "another output, revealed", 1, leaf=leaf)
        return None

    def _finding(self, open_batch: OpenBatch, noted: StoredFinding) -> Finding:
        """Return what was found before, with what follows from it."""
        kind = FindingKind(noted.kind)
        wrong = kind is FindingKind.WRONG
        return Finding(
            kind,
            noted.leaf_index,
            noted.note,
            noted.executed,
            noted.doubtful,
            tuple(self._drawn(open_batch, noted.seed)),
            noted.seed,
            self.opened(open_batch.record, noted.leaf_index) if wrong else None,
        )

    def _note_margins(self, record: BatchState, rerun: Rerun, found: Finding) -> None:
        """Note measured answers, ahead of the finding: a node that is killed between has both."""
        notes = rerun.margin_notes(record.batch, dict(zip(found.drawn, found.judged, strict=False)))
        if notes:
            self._margins.add(notes)

    def _note(self, batch_id: bytes, before: StoredFinding | None, found: Finding) -> None:
        row = StoredFinding(
            found.kind, found.leaf_index, found.note, found.executed, found.seed, found.doubtful
        )
        if row != before:
            self._journal.note_finding(batch_id, row)
            _LOG.info(
                "looked at a batch",
                batch=batch_id,
                finding=found.kind.value,
                leaf=found.leaf_index,
                note=found.note,
                executed=found.executed,
                doubtful=found.doubtful,
            )
