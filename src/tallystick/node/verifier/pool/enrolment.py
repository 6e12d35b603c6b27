"""A key's seats in a pool: it enrols each epoch, collects fees, and says how it stands."""

from tallystick.chain.pool import PoolMember, Standing
from tallystick.node.log import get_log
from tallystick.node.settings import PoolSettings
from tallystick.node.verifier.backoff import Backoff
from tallystick.node.verifier.budget import DAY
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.node.verifier.outbox import Intent, Outbox
from tallystick.node.verifier.pool.auditor import Auditor
from tallystick.node.verifier.pool.events import PoolEvents
from tallystick.node.verifier.watch import Watch
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.pool import EPOCH, epoch_of

_SELDOM = 3600.0
"""Seconds between two lines that say the same."""

_LOG = get_log("pool")


def more_seats(member: PoolMember, wanted: int, credit: int, price: int) -> int:
    """Return how many seats to buy: those that are wanted, as far as the credit goes.

    Args:
        member: the key's standing.
        wanted: seats that it is to have.
        credit: of the key in the pool, in units of the asset.
        price: of a seat, in the same.
    """
    return min(max(0, wanted - member.seats), credit // price)


class Enrolment:
    """Keeps one key in a pool's lists.

    Args:
        settings: the pool's.
        auditor: the key.
        watch: what is known of the chain.
        journal: the node's.
        outbox: sends, or in a dry run says what it would.
        events: the pool's.
        backoff: what is put off.
    """

    def __init__(
        self,
        settings: PoolSettings,
        auditor: Auditor,
        watch: Watch,
        journal: VerifierJournal,
        outbox: Outbox,
        events: PoolEvents,
        backoff: Backoff,
    ) -> None:
        self._settings, self._auditor, self._watch = settings, auditor, watch
        self._journal, self._outbox, self._events = journal, outbox, events
        self._backoff = backoff
        self.member = auditor.pool.member(auditor.key)
        """The key's standing at the last look."""

    def step(self) -> None:
        """Enrol for the next epoch unless that is done; take out fees; say how it stands."""
        self.member = self._auditor.pool.member(self._auditor.key)
        self._enroll()
        if self._settings.collect_above is not None:
            self._collect(self._settings.collect_above)
        if self._is_time("standing"):
            _LOG.info("pool", **self.standing())

    def standing(self) -> dict[str, object]:
        """Return how the key stands, as the log has it."""
        epoch = epoch_of(self._watch.clock)
        due = 0 if self.member.last_epoch <= epoch else (epoch + 1) * EPOCH - self._watch.clock
        return {
            "pool": checksummed(self._auditor.address),
            "seats": self.member.seats,
            "audits": self._events.audits,
            "rulings": self._events.rulings,
            "earned": self._events.earned,
            "next_enrolment_in": _spoken(due),
        }

    def _enroll(self) -> None:
        member, terms, key = self.member, self._auditor.terms, self._auditor.key
        epoch = epoch_of(self._watch.clock) + 1
        if member.last_epoch >= epoch:
            return
        if member.standing in (Standing.CLOSED, Standing.CONVICTED):
            self._warn(f"the key is {member.standing.name.lower()}, and never enrols again")
            return
        credit = self._auditor.pool.credit(key)
        more = more_seats(member, self._settings.seats, credit, terms.seat_stake)
        lacking = self._settings.seats - member.seats - more
        if lacking > 0:
            self._warn(
                f"no credit for {lacking} more seats: {checksummed(key)} has {credit} in the pool; "
                f"needed: {(lacking + more) * terms.seat_stake}"
            )
        if member.seats + more == 0:
            return
        account = ZERO_ADDRESS
        if member.standing is Standing.FREE:
            account = self._settings.account or key
        call = self._auditor.pool.call("enroll", more, account)
        self._outbox.send(Intent(None, call, epoch, terms.asset), self._watch.now)

    def _collect(self, left: int) -> None:
        """Take fees to the account's credit once a day, and out of it where it is the key."""
        pool, terms, now = self._auditor.pool, self._auditor.terms, self._watch.now
        if self.member.earned > left:
            call = pool.call("collect", self._auditor.key)
            self._outbox.send(Intent(None, call, now // DAY, terms.asset), now)
        # What a case costs stays: without it a wrong leaf could not be appealed.
        kept = left + terms.case_fee
        lacking = max(0, self._settings.seats - self.member.seats) * terms.seat_stake
        credit = pool.credit(self._auditor.key)
        if self.member.account == self._auditor.key and credit > kept + lacking:
            call = pool.call("withdraw", credit - kept - lacking)
            self._outbox.send(Intent(None, call, now // DAY, pool.address), now)

    def _warn(self, reason: str) -> None:
        if self._is_time("enroll"):
            _LOG.warning("cannot enrol", pool=checksummed(self._auditor.address), reason=reason)

    def _is_time(self, what: str) -> bool:
        if not self._backoff.is_time(self._auditor.address, what):
            return False
        self._backoff.put_off(self._auditor.address, what, _SELDOM)
        return True


def _spoken(seconds: int) -> str:
    if seconds >= DAY:
        return f"{seconds / DAY:.0f} d"
    return f"{seconds / 3600:.0f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
