"""A key in a pool: the panels it sits on, and what it signs there, each thing once."""

import threading
import time
from collections.abc import Iterable, Sequence

from tallystick.chain.pool import Pool, Standing
from tallystick.chain.revert import ContractError
from tallystick.chain.signer import Signer
from tallystick.node.log import get_log
from tallystick.node.verifier.journal import StoredSeal, VerifierJournal
from tallystick.node.verifier.pool.exchange import SealExchange
from tallystick.node.verifier.pool.seal import Seal, complete, gathered, may_open, sealed
from tallystick.protocol.batch import Stamp
from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.panel import Panel
from tallystick.protocol.pool import Seats, SignedPlaces, epoch_of

_LISTS = 4
"""Epochs' lists that are kept in memory."""

_LOG = get_log("pool")


class Auditor:
    """One key of a pool; threads may share it.

    Args:
        pool: the contract.
        signer: the key.
        journal: the node's.
        exchanges: where members show their seals.
        turn_every: seconds that each member before this one has to send what is complete.
    """

    def __init__(
        self,
        pool: Pool,
        signer: Signer,
        journal: VerifierJournal,
        exchanges: Sequence[SealExchange],
        turn_every: float,
    ) -> None:
        self.pool, self._signer, self._journal = pool, signer, journal
        self._exchanges, self._turn_every = tuple(exchanges), turn_every
        self.terms, self._domain = pool.terms(), pool.domain
        self._lists: dict[int, list[Seats]] = {}
        self._complete: dict[tuple[bytes, Ruling], float] = {}
        self._lock = threading.Lock()

    @property
    def address(self) -> bytes:
        """The pool, 20 bytes."""
        return self.pool.address

    @property
    def key(self) -> bytes:
        """The key's address, 20 bytes."""
        return self._signer.address

    def audit_panel(self, batch_id: bytes, stamp: Stamp, seed: bytes) -> Panel | None:
        """Return the panel that audits a batch; None where none can be drawn.

        The pool is too small for one, or its list of that epoch is not kept any more.
        """
        return self._panel(batch_id, seed, epoch_of(stamp.committed_at), is_audit=True)

    def case_panel(self, case_id: bytes, epoch: int, seed: bytes) -> Panel | None:
        """Return the panel that rules in a case; None as of audit_panel."""
        return self._panel(case_id, seed, epoch, is_audit=False)

    def state(self, panel: Panel, ruling: Ruling = Ruling.UNDECIDED) -> Seal | None:
        """Sign one's word on a panel, and show its seal; None when the key has no say there.

        On one panel only one word is ever signed: the first is returned again, whatever is asked.
        """
        if panel.entry_of(self.key) is None or not self._counts([self.key]):
            return None
        known = self._journal.seal(panel.id, panel.seed)
        if known is None:
            made = sealed(panel, self._signer, ruling)
            row = StoredSeal(self.key, int(ruling), made.signature, made.proof)
            self._journal.note_seal(panel.id, panel.seed, row)
            _LOG.info(
                "sealed",
                panel=panel.id,
                kind="audit" if panel.is_audit else "verdict",
                places=len(panel.places[panel.entry_of(self.key) or 0]),
            )
            known = self._journal.seal(panel.id, panel.seed)
        assert known is not None
        own = _seal(panel.id, panel.seed, known)
        for place in self._exchanges:
            place.show(own if known.opened else own.closed)
        return own

    def signatures(
        self, panel: Panel, own: Seal, barred: Iterable[bytes] = ()
    ) -> dict[int, SignedPlaces] | None:
        """Return the signatures to send; None while they are too few, or it is another's turn.

        Opens this node's signature once enough places are sealed.

        Args:
            panel: on which this node has sealed its word.
            own: that seal, open.
            barred: keys that have no say.
        """
        others = [one for place in self._exchanges for one in place.seen(panel)]
        known = gathered(panel, [own, *others], barred)
        if not may_open(panel, known):
            return None
        stored = self._journal.seal(panel.id, panel.seed)
        if stored is not None and not stored.opened:
            self._journal.open_seal(panel.id, panel.seed)
            _LOG.info("opened", panel=panel.id, sealed=panel.count(known))
        for place in self._exchanges:
            place.show(own)
        signed = complete(panel, known, own.ruling)
        if signed is None:
            return None
        with self._lock:
            since = self._complete.setdefault((panel.id, own.ruling), time.monotonic())
        if time.monotonic() - since < len(panel.before(self.key)) * self._turn_every:
            return None
        counting = self._counting([panel.entries[entry].key for entry in signed])
        few = {e: one for e, one in signed.items() if panel.entries[e].key in counting}
        return few if panel.count(few) >= panel.needed(own.ruling) else None

    def _panel(self, panel_id: bytes, seed: bytes, epoch: int, is_audit: bool) -> Panel | None:
        try:
            entries = self._list(epoch)
        except ContractError as error:
            if error.name != "EpochGone":
                raise
            return None
        if not entries or entries[-1].first + entries[-1].count < self.terms.min_seats:
            return None
        return Panel.drawn(
            self._domain, panel_id, seed, self.terms.quorums, entries, is_audit=is_audit
        )

    def _list(self, epoch: int) -> list[Seats]:
        """Return a list that no longer changes: its epoch has begun."""
        with self._lock:
            found = self._lists.get(epoch)
            if found is None:
                found = self._lists[epoch] = self.pool.entries(epoch)
                for old in sorted(self._lists)[:-_LISTS]:
                    del self._lists[old]
            return found

    def _counts(self, keys: list[bytes]) -> bool:
        return len(self._counting(keys)) == len(keys)

    def _counting(self, keys: list[bytes]) -> set[bytes]:
        """Return those of keys that are not convicted."""
        found = self.pool.members(keys)
        return {one.key for one in found if one.standing is not Standing.CONVICTED}


def shown_seal(journal: VerifierJournal, panel_id: bytes, seed: bytes) -> bytes | None:
    """Return what a node shows of its word on a panel, as JSON; None: it has none.

    Args:
        journal: the node's.
        panel_id: of the batch, or of the case.
        seed: the panel's.
    """
    known = journal.seal(panel_id, seed)
    if known is None:
        return None
    own = _seal(panel_id, seed, known)
    return (own if known.opened else own.closed).to_json()


def _seal(panel_id: bytes, seed: bytes, known: StoredSeal) -> Seal:
    digest, ruling = keccak256(known.signature), Ruling(known.ruling)
    return Seal(panel_id, seed, known.key, digest, known.proof, ruling, known.signature)
