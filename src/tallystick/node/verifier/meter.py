"""A verifier's numbers, from its journal and ledger: the same whichever process did the work."""

from prometheus_client import Counter

from tallystick.node.metrics import Metrics
from tallystick.node.verifier.findings import FindingKind
from tallystick.node.verifier.journal import MoveStatus
from tallystick.node.verifier.verifier import Verifier
from tallystick.protocol.abi_words import ZERO_ADDRESS

_CONVICTING = {FindingKind.FAULTY, FindingKind.UNSIGNED, FindingKind.SHORT, FindingKind.OVERFULL}


class Meter:
    """Carries numbers into metrics.

    Args:
        metrics: of the process that answers Prometheus.
        verifier: that process's.
    """

    def __init__(self, metrics: Metrics, verifier: Verifier) -> None:
        self._metrics, self._verifier = metrics, verifier
        self._counted: dict[str, float] = {}

    def read(self) -> None:
        """Bring the metrics up to date."""
        verifier, metrics, journal = self._verifier, self._metrics, self._verifier.journal
        verifier.refresh()
        watch = verifier.watch
        metrics.lag.set(watch.follower.lag)
        metrics.challenges.set(len(watch.challenges_open()))
        metrics.at_stake.set(watch.at_stake())
        metrics.spent.set(verifier.outbox.spent(watch.now).get(ZERO_ADDRESS, 0))
        self._count(metrics.batches_seen, "seen", watch.batches_seen())
        self._count(metrics.failures.labels("verifier"), "failures", verifier.failures)
        found = journal.findings()
        self._count(metrics.leaves, "leaves", sum(leaves for _, leaves in found.values()))
        self._count(metrics.doubtful, "doubtful", journal.doubtful())
        batches = found.get(FindingKind.DOUBTFUL, (0, 0))[0]
        self._count(metrics.doubtful_batches, "doubtful batches", batches)
        self._count(metrics.mismatches, "wrong", found.get(FindingKind.WRONG, (0, 0))[0])
        for kind in _CONVICTING:
            batches = found.get(kind, (0, 0))[0]
            self._count(metrics.flaws.labels(kind.value), f"flaw {kind.value}", batches)
        self._count(metrics.audits, "audits", journal.audits())
        if verifier.duty is not None:
            events = verifier.duty.events
            events.sync()
            metrics.pool_seats.set(verifier.duty.seats.member.seats)
            metrics.pool_audits.set(events.audits)
            metrics.pool_rulings.set(events.rulings)
            metrics.pool_earned.set(events.earned)
        demands = 0
        for move, status, count in journal.made():
            if status == MoveStatus.MINED:
                self._count(metrics.transactions.labels(move), f"move {move}", count)
                demands += count if move == "demand" else 0
        self._count(metrics.demands, "demands", demands)

    def _count(self, counter: Counter, name: str, total: float) -> None:
        """Raise a counter to what the journal has; a reorg that lowers it is passed over."""
        before = self._counted.get(name, 0.0)
        if total > before:
            counter.inc(total - before)
            self._counted[name] = total
