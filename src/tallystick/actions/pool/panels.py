"""Panels of a pool as they were drawn, and the signatures of their places."""

from collections.abc import Iterable, Mapping

from tallystick.actions.chain_view import ActionError
from tallystick.actions.pool.view import PoolView
from tallystick.chain.pool import PoolCase, Standing
from tallystick.protocol.enums import Ruling
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keys import has_signed
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.panel import Panel
from tallystick.protocol.pool import SignedPlaces, epoch_of


def audit_panel(view: PoolView, record: BatchState) -> Panel:
    """Return the panel that audits a batch.

    Raises:
        ActionError: the list it is drawn from has too few seats, or is kept no more.
        PoolError: the block that seeds it is to come, or its hash is gone.
    """
    entries = view.need_list(epoch_of(record.stamp.committed_at))
    seed = view.pool.seed(record.stamp.committed_block + view.terms.seed_delay)
    quorums, domain = view.terms.quorums, view.pool.domain
    return Panel.drawn(domain, record.id, seed, quorums, entries, is_audit=True)


def case_panel(view: PoolView, case: PoolCase) -> Panel:
    """Return the panel that rules in a case; see audit_panel for errors."""
    entries, seed = view.need_list(case.epoch), view.pool.seed(case.seed_block)
    quorums, domain = view.terms.quorums, view.pool.domain
    return Panel.drawn(domain, case.id, seed, quorums, entries, is_audit=False)


def need_place(view: PoolView, panel: Panel, barred: Iterable[bytes] = ()) -> list[int]:
    """Return the sender's places of a panel; ActionError where its word would not count.

    Args:
        view: the pool, for the key.
        panel: drawn.
        barred: keys that have no say.
    """
    _need_say(view, panel, [view.sender], barred)
    entry = panel.entry_of(view.sender)
    assert entry is not None
    return panel.places[entry]


def signed_places(
    view: PoolView,
    panel: Panel,
    signatures: Mapping[bytes, bytes],
    ruling: Ruling = Ruling.UNDECIDED,
    barred: Iterable[bytes] = (),
) -> dict[int, SignedPlaces]:
    """Return signatures by entry, as the contract takes them.

    Args:
        view: the pool.
        panel: drawn.
        signatures: by key.
        ruling: of a case; Undecided for an audit.
        barred: keys that have no say.

    Raises:
        ActionError: a key has no say on the panel, a signature is not its key's, or too few places
            signed.
    """
    _need_say(view, panel, list(signatures), barred)
    digest = panel.domain.digest(panel.struct_hash(ruling))
    found = {}
    for key, signature in signatures.items():
        if not has_signed(key, digest, signature):
            raise ActionError(f"the signature of key {checksummed(key)} is not over this statement")
        entry = panel.entry_of(key)
        assert entry is not None
        found[entry] = SignedPlaces(tuple(panel.places[entry]), signature)
    count, needed = panel.count(found), panel.needed(ruling)
    if count < needed:
        of = sum(map(len, panel.places.values()))
        raise ActionError(f"{count} places of {of} signed; needed: {needed}")
    return found


def _need_say(view: PoolView, panel: Panel, keys: list[bytes], barred: Iterable[bytes]) -> None:
    out = set(barred)
    for member in view.pool.members(keys):
        named = checksummed(member.key)
        if panel.entry_of(member.key) is None:
            raise ActionError(f"key {named} holds no place of this panel")
        if member.key in out:
            raise ActionError(f"key {named} has signed the audit, and has no say on it")
        if member.standing is Standing.CONVICTED:
            raise ActionError(f"key {named} is convicted: its places count no more")
