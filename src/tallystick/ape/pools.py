"""Transactions in a pool of auditors."""

from collections.abc import Callable, Iterable
from pathlib import Path

from tallystick.actions.pool import audits, cases, money
from tallystick.actions.pool.view import Move, PoolView
from tallystick.chain.pool import Pool
from tallystick.chain.pool_events import find_record
from tallystick.cli.command import CommandError
from tallystick.cli.pools import burned_in, first_block, read_statements
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, opening_for, view
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.pool import PanelAudit, PanelVerdict

Action = Callable[[PoolView], Move]


def seen(session: Session, address: bytes) -> PoolView:
    """Return a pool as the session's sender finds it; PoolError if there is none."""
    return PoolView(Pool(session.w3, address), session.now, session.sender.address)


def do(session: Session, address: bytes, action: Action) -> None:
    """Send what an action makes of a pool, if the pool would take it."""
    _perform(session, [action(seen(session, address))])


def deposit(session: Session, address: bytes, amount: int, to: bytes | None) -> None:
    """Add to an account's credit, the sender's where none is named; a token is approved first."""
    pool = seen(session, address)
    _perform(session, money.deposit(pool, amount, to or pool.sender))


def audit(session: Session, files: tuple[Path, ...]) -> None:
    """Store the audit that enough places signed.

    Args:
        session: of anybody, who gets the fee of a place.
        files: statements of one audit.
    """
    said = read_statements(session, files)
    if not isinstance(said.says, PanelAudit):
        raise CommandError(f"{files[0]} holds a verdict; needed: an audit")
    chain, pool = view(session, said.batch_id), seen(session, said.domain.contract)
    _perform(
        session,
        [audits.audit(pool, chain, session.registry, said.says, said.signatures)],
    )


def appeal(session: Session, address: bytes, target: str, leaf: int | None, store: str) -> None:
    """Open a case on a leaf of a batch, whose id or receipts file is the target."""
    key, pool = batch_id_of(target, leaf), seen(session, address)
    chain = view(session, key)
    opening = opening_for(chain, target, leaf, store)
    by = find_record(pool.pool, key, first_block(chain.batch(key)))
    _perform(session, [cases.appeal(pool, chain, session.registry, key, opening, by)])


def ruled(session: Session, files: tuple[Path, ...], receipts: Path | None, store: str) -> None:
    """Close a case by the ruling that enough places signed.

    Args:
        session: of anybody, who gets the fee of a place.
        files: statements of one ruling.
        receipts: file that has the leaf's receipt; None: the store has the batch's data.
        store: folder or URL of batch data.
    """
    said = read_statements(session, files)
    if not isinstance(said.says, PanelVerdict):
        raise CommandError(f"{files[0]} holds an audit; needed: a verdict")
    chain, pool = view(session, said.batch_id), seen(session, said.domain.contract)
    target = str(receipts) if receipts is not None else to_hex(said.batch_id)
    opening = opening_for(chain, target, said.leaf_index, store)
    by = find_record(pool.pool, said.batch_id, first_block(chain.batch(said.batch_id)))
    made = cases.ruled(
        pool,
        chain,
        session.registry,
        said.batch_id,
        opening,
        said.says,
        said.signatures,
        by,
    )
    _perform(session, [made])


def convict(session: Session, address: bytes, target: str) -> None:
    """Burn the stake of who signed the audit of a batch that the registry rejected."""
    key, pool = batch_id_of(target), seen(session, address)
    chain = view(session, key)
    by = find_record(pool.pool, key, first_block(chain.batch(key)))
    _perform(session, [cases.convict(pool, chain, session.registry, key, by)])


def sweep(session: Session, address: bytes) -> None:
    """Send what was burned since the last sweep to the burn address."""
    pool = seen(session, address)
    _perform(session, [money.sweep(pool, burned_in(session, pool.pool))])


def _perform(session: Session, moves: Iterable[Move]) -> None:
    for move in moves:
        session.perform(move.call, **move.facts)
        if session.dry_run:
            # What comes after it cannot be tried: it was not made.
            return
