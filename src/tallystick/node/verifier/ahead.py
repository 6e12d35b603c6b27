"""Data asked for before the draw is known, so that nobody can show them by how it fell.

Who commits wrong answers could wait for the draw, and let a store give the data only where it holds
none of them. So a verifier asks at once, goes on asking, and notes when. What it lacks when the
draw's block comes is withheld as far as its own verdict goes, unless it began to ask too late, or
did not ask to the end: then nothing tells a store that kept silent from a node that was down.
"""

from tallystick.node.settings import VerifierSettings as Settings
from tallystick.node.verifier.backoff import Backoff
from tallystick.node.verifier.fetch import Stores
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.node.verifier.watch import OpenBatch, Watch


class Ahead:
    """Requests for data whose draw is to come.

    Args:
        settings: the verifier's.
        watch: what is known of the chain.
        journal: the node's.
        stores: of the operators.
        backoff: what is put off.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        journal: VerifierJournal,
        stores: Stores,
        backoff: Backoff,
    ) -> None:
        self._prompt = settings.prompt_within
        self._every = min(settings.look_every, settings.prompt_within / 2)
        self._watch, self._journal, self._stores = watch, journal, stores
        self._backoff = backoff

    def ask(self, open_batch: OpenBatch) -> None:
        """Fetch a batch's data unless they are here, or were asked for a moment ago."""
        record = open_batch.record
        asked = self._journal.asked(record.id)
        if (asked and asked.got) or not self._backoff.is_time(record.id, "ask"):
            return
        # Noted on both sides: a store may keep its answer back until the draw is known.
        self._journal.note_asked(record.id, self._watch.clock)
        data = self._stores.load(record).data
        known_at = self._watch.seed_time(open_batch)
        got = data is not None and known_at is None
        self._journal.note_asked(record.id, max(self._watch.clock, known_at or 0), got)
        if data is None:
            self._backoff.put_off(record.id, "ask", self._every)

    def is_late(self, open_batch: OpenBatch) -> bool:
        """Return whether a batch's data were refused to this node until the draw was known."""
        asked = self._journal.asked(open_batch.record.id)
        if asked is None or asked.got:
            return False
        known_at = self._watch.seed_time(open_batch)
        if known_at is None:
            return False
        began_in_time = asked.first_at + self._prompt <= known_at
        return began_in_time and asked.last_at >= known_at - self._prompt
