"""Quotas of requesters: who is answered, how often, and for how much of the lane's stake.

Keys cost nothing, so a quota of each key alone would stop nobody: strangers share one, and a share
of the stake, that any number of self-made keys cannot pass.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence

from tallystick.node.metrics import Metrics
from tallystick.node.operator.errors import RefusedError
from tallystick.node.settings import Quota, Requesters
from tallystick.protocol.hexes import checksummed

_MINUTE = 60.0
_REMEMBERED = 10_000
"""Requesters whose minute is counted; the longest unseen are forgotten first."""
_STRANGERS = b""
"""In place of a requester: all strangers together."""


class Quotas:
    """One process's; threads share it.

    Args:
        settings: the operator's.
        metrics: counts what is refused, by quota.
        clock: seconds that never go back.
    """

    def __init__(
        self, settings: Requesters, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._metrics, self._clock = settings, metrics, clock
        self._known = frozenset(settings.known)
        self._open: Counter[bytes] = Counter()
        """Open inferences by requester, and of all strangers."""
        self._under_way: Counter[bytes] = Counter()
        """Those of them that the journal may not have yet."""
        self._minutes: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        """What is left of a minute's requests, and when that was so."""
        self._lock = threading.Lock()

    @property
    def count_open(self) -> bool:
        """Return whether any quota asks for the requesters' open inferences."""
        own = self._settings
        limits = own.each.open_inferences, own.all_strangers.open_inferences
        return any(limits) or own.strangers_stake_share < 1

    def note_open(self, by_requester: Mapping[bytes, int]) -> None:
        """Say how many inferences of each requester are open, as the journal has it."""
        strangers = sum(
            count for requester, count in by_requester.items() if requester not in self._known
        )
        with self._lock:
            self._open = Counter(by_requester)
            self._open[_STRANGERS] = strangers
            self._open.update(self._under_way)

    def take(self, requesters: Sequence[bytes], capacity: int | None, open_inferences: int) -> None:
        """Count requests, one of each entry, or none of them.

        Args:
            requesters: 20 bytes each; one that signed several requests comes several times.
            capacity: inferences that the lane's whole stake covers; None: any number.
            open_inferences: of the lane, those that wait to be committed included.

        Raises:
            RefusedError: 403 for a stranger where none is answered; 429 over a quota; 503 where
                the operator's share of the stake is taken.
        """
        groups = self._groups(requesters)
        strange = groups[_STRANGERS]
        if strange and not self._settings.strangers:
            stranger = next(one for one in requesters if one not in self._known)
            raise self._refused(
                "strangers", 403, f"{checksummed(stranger)} is not on this operator's list"
            )
        with self._lock:
            self._check_shares(capacity, open_inferences, len(requesters), strange)
            for one, count in groups.items():
                self._check_open(one, count)
            left = {one: self._check_minute(one, count) for one, count in groups.items()}
            now = self._clock()
            for one, rest in left.items():
                if rest is not None:
                    self._minutes[one] = rest, now
                    self._minutes.move_to_end(one)
            while len(self._minutes) > _REMEMBERED:
                self._minutes.popitem(last=False)
            self._open.update(groups)
            self._under_way.update(groups)

    def end(self, requesters: Sequence[bytes], answered: bool) -> None:
        """Say that requests which were counted are in the journal, or got no new answer."""
        groups = self._groups(requesters)
        with self._lock:
            self._under_way.subtract(groups)
            if not answered:
                self._open.subtract(groups)

    def _groups(self, requesters: Sequence[bytes]) -> Counter[bytes]:
        """Return how many requests each requester has made, and all strangers."""
        groups = Counter(requesters)
        groups[_STRANGERS] = sum(one not in self._known for one in requesters)
        return +groups

    def _check_shares(
        self, capacity: int | None, open_inferences: int, count: int, strange: int
    ) -> None:
        if capacity is None:
            return
        own = self._settings
        most = int(capacity * own.stake_share)
        if own.stake_share < 1 and open_inferences + count > most:
            raise self._refused(
                "stake share",
                503,
                f"{open_inferences} inferences are open; the operator lets {most} be; try again "
                "later",
            )
        most = int(capacity * own.strangers_stake_share)
        if own.strangers_stake_share < 1 and strange and self._open[_STRANGERS] + strange > most:
            raise self._refused(
                "strangers' stake share",
                429,
                f"{self._open[_STRANGERS]} inferences of requesters that are not on this "
                f"operator's list are open; allowed: {most}; try again later",
            )

    def _check_open(self, one: bytes, count: int) -> None:
        most, open_now = self._quota(one).open_inferences, self._open[one]
        if most is not None and open_now + count > most:
            raise self._refused(
                "open inferences",
                429,
                f"{open_now} inferences of {_name(one)} are open; allowed: {most}; try again when "
                "they are final",
            )

    def _check_minute(self, one: bytes, count: int) -> float | None:
        """Return what is left of a minute's requests after these; None: they are not counted."""
        most = self._quota(one).per_minute
        if most is None:
            return None
        now = self._clock()
        left, at = self._minutes.get(one, (float(most), now))
        left = min(float(most), left + (now - at) * most / _MINUTE)
        if count > left:
            wait = (count - left) * _MINUTE / most
            later = f"; try again in {wait:.0f} s" if count <= most else ""
            raise self._refused(
                "requests a minute",
                429,
                f"{_name(one)} may ask for {most} inferences a minute{later}",
            )
        return left - count

    def _quota(self, one: bytes) -> Quota:
        return self._settings.all_strangers if one == _STRANGERS else self._settings.each

    def _refused(self, quota: str, status: int, reason: str) -> RefusedError:
        self._metrics.over_quota.labels(quota).inc()
        return RefusedError(status, reason)


def _name(one: bytes) -> str:
    if one == _STRANGERS:
        return "all requesters that are not on this operator's list"
    return checksummed(one)
