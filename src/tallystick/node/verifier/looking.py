"""Finding out what is the matter with a batch: noted before anybody can see it, and once."""

import os

from tallystick.draw import draw
from tallystick.ledger import BatchRecord
from tallystick.moves.data import BatchData
from tallystick.node.log import get_log
from tallystick.node.settings import Verifier as Settings
from tallystick.node.verifier.fetch import Stores
from tallystick.node.verifier.inspection import Finding, Kind, inspect
from tallystick.node.verifier.journal import Journal, Noted
from tallystick.node.verifier.later import Later
from tallystick.node.verifier.models import BytesMissingError, Models, Rerun
from tallystick.node.verifier.repeats import Repeats
from tallystick.node.verifier.revealed import Revealed
from tallystick.node.verifier.watch import Subject, Watch
from tallystick.opening import Opening
from tallystick.record import Record

DRAWN = 64
"""Leaves run again where no committee says how many, and no setting does."""

_LOG = get_log("verifier")


class Looking:
    """Fetches batches, draws leaves and has them run again.

    Args:
        settings: the verifier's.
        watch: what is known of the chain.
        journal: the node's.
        stores: of the operators.
        revealed: what operators opened on chain.
        models: that can be run here.
        later: what is put off.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        journal: Journal,
        stores: Stores,
        revealed: Revealed,
        models: Models,
        later: Later,
    ) -> None:
        self._settings, self._watch, self._journal = settings, watch, journal
        self._stores, self._revealed, self._models = stores, revealed, models
        self._later = later
        self._repeats = Repeats(lambda record: stores.load(record).data)

    def found(self, subject: Subject) -> Finding | None:
        """Return what is the matter, found out now if it was not before; None: not known yet."""
        record = subject.record
        noted = self._journal.finding(record.id)
        if noted is not None and noted.kind != Kind.WITHHELD:
            return _finding(noted)
        if not self._later.is_time(record.id, "look"):
            return _finding(noted) if noted else None
        seed = self.seed(subject)
        if seed is None:
            return None
        rerun = self._models.rerun(subject.model)
        drawn = self._drawn(subject, seed)
        fetched = self._stores.load(record)
        if fetched.data is None:
            found = Finding(Kind.WITHHELD, drawn[0], "; ".join(fetched.failures.values()))
        else:
            domain = self._watch.registry.domain
            found = inspect(fetched.data, subject.rules, domain, drawn, rerun)
            if found.kind in (Kind.GOOD, Kind.UNSIGNED):
                # A fault convicts at once, a leaf that nobody can reveal only in time.
                found = self._repeated(subject, fetched.data) or found
        if found.kind is Kind.WITHHELD:
            self._later.put_off(record.id, "look")
            found = self._wrongly_revealed(record, rerun) or found
        self._note(record.id, noted, found, seed)
        return found

    def seed(self, subject: Subject) -> bytes | None:
        """Return what the draw hangs on; None while the block that gives it is to come."""
        juror = self._watch.juror_for(subject.rules)
        if juror is None:
            # Nobody has to draw the same leaves: nobody can know them before either.
            return os.urandom(32)
        number = subject.record.stamp.committed_block + juror.terms.seed_delay
        if self._watch.reader.head <= number:
            return None
        return bytes(self._watch.registry.w3.eth.get_block(number)["hash"])

    def chosen(self, subject: Subject, found: Finding) -> list[int]:
        """Return the leaf that a finding names, and the others that were drawn."""
        noted = self._journal.finding(subject.record.id)
        drawn = self._drawn(subject, noted.seed) if noted else []
        return [found.leaf_index, *(index for index in drawn if index != found.leaf_index)]

    def opened(self, record: BatchRecord, index: int) -> tuple[Opening, Record] | None:
        """Return a leaf from the batch's data, or from its reveal; None when neither has it."""
        data = self._stores.load(record).data
        if data is not None and index < len(data.records):
            return data.opening(index), data.records[index]
        return next(
            (one for one in self._revealed.of(record.batch) if one[0].leaf_index == index), None
        )

    def _drawn(self, subject: Subject, seed: bytes) -> list[int]:
        juror = self._watch.juror_for(subject.rules)
        least = juror.terms.min_drawn if juror else 1
        # A larger draw of the same seed begins with the leaves of a smaller one.
        many = max(least, self._settings.drawn or (least if juror else DRAWN))
        return sorted(set(draw(seed, subject.record.id, many, subject.record.batch.count)))

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

    def _note(self, batch_id: bytes, before: Noted | None, found: Finding, seed: bytes) -> None:
        row = Noted(found.kind, found.leaf_index, found.note, found.executed, seed)
        if row != before:
            self._journal.note_finding(batch_id, row)
            _LOG.info(
                "looked at a batch",
                batch=batch_id,
                finding=found.kind.value,
                leaf=found.leaf_index,
                note=found.note,
                executed=found.executed,
            )


def _finding(noted: Noted) -> Finding:
    return Finding(Kind(noted.kind), noted.leaf_index, noted.note, noted.executed)
