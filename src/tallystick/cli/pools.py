"""A pool as anybody sees it, and what its keys sign."""

from pathlib import Path
from typing import Any

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ChainView
from tallystick.actions.pool.audits import draw_of, statement
from tallystick.actions.pool.cases import open_case, verdict
from tallystick.actions.pool.panels import audit_panel, case_panel, need_place
from tallystick.actions.pool.view import PoolView
from tallystick.chain import deployments
from tallystick.chain.cache import ChainCache
from tallystick.chain.origin import first_block_of
from tallystick.chain.pool import Pool, Standing
from tallystick.chain.pool_events import find_cases, find_record, unswept
from tallystick.chain.registry import Registry
from tallystick.cli.command import CommandError
from tallystick.cli.recomputed import read_recomputed
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.panel import Panel
from tallystick.protocol.panel_statement import PanelStatement
from tallystick.protocol.pool import EPOCH, PanelAudit, PanelVerdict, Record
from tallystick.storage.batch_parser import GuardedStore


def looked_at(session: Session, address: bytes) -> PoolView:
    """Return a pool as nobody in particular sees it; PoolError if there is none."""
    return PoolView(Pool(session.w3, address), session.now, ZERO_ADDRESS)


def described(session: Session, address: bytes) -> dict[str, Any]:
    """Return a pool's terms, and its lists of this epoch and of the next one."""
    view = looked_at(session, address)
    pool, terms, epoch = view.pool, view.terms, view.epoch
    now, coming = pool.header(epoch), pool.header(epoch + 1)
    quorums = terms.quorums
    return {
        "pool": address,
        "registry": pool.core(),
        "asset": terms.asset,
        "spec": terms.spec,
        "replay": terms.replay,
        "seat_stake": terms.seat_stake,
        "min_seats": terms.min_seats,
        "panel": terms.panel,
        "places_to_audit": quorums.audit,
        "judges": quorums.judges,
        "places_to_uphold": quorums.uphold,
        "places_to_reject": quorums.reject,
        "min_drawn": terms.min_drawn,
        "seed_delay": terms.seed_delay,
        "exit_delay": terms.exit_delay,
        "fee_per_leaf": terms.fee_per_leaf,
        "rule_fee": terms.rule_fee,
        "case_fee": terms.case_fee,
        "epoch": epoch,
        "next_epoch_at": (epoch + 1) * EPOCH,
        "seats": now.seats,
        "keys": now.entries,
        "draws": now.seats >= terms.min_seats,
        "next_seats": coming.seats,
        "next_keys": coming.entries,
    }


def members(session: Session, address: bytes, ahead: bool) -> list[dict[str, Any]]:
    """Return a row for each key in the list of this epoch, or of the next one."""
    view = looked_at(session, address)
    entries = view.pool.entries(view.epoch + (1 if ahead else 0))
    seats = sum(one.count for one in entries)
    found = view.pool.members([one.key for one in entries])
    return [
        {
            "key": entry.key,
            "seats": entry.count,
            "share": entry.count / seats,
            "standing": member.standing.name.lower(),
            "account": member.account,
            "earned": member.earned,
        }
        for entry, member in zip(entries, found, strict=True)
    ]


def standing(session: Session, address: bytes, whose: bytes) -> dict[str, Any]:
    """Return what an address has in a pool: its credit, its seats as a key, its escrow."""
    view = looked_at(session, address)
    member, escrow = view.pool.member(whose), view.pool.escrow(whose)
    found: dict[str, Any] = {"address": whose, "credit": view.pool.credit(whose)}
    found["standing"] = None if member.standing is Standing.FREE else member.standing.name.lower()
    if member.standing is not Standing.FREE:
        found |= {
            "account": member.account,
            "seats": member.seats,
            "stake": member.seats * view.terms.seat_stake,
            "earned": member.earned,
            "last_epoch": member.last_epoch,
            "enrolled_for_next": member.last_epoch > view.epoch,
            "held_until": member.held_until or None,
            "leaves_at": view.terms.leaves_at(member) if member.seats else None,
        }
    due = escrow.notice_at + EPOCH if escrow.notice_at else None
    return {**found, "escrow": escrow.balance, "escrow_due": due}


def draw_lines(
    session: Session, address: bytes, target: str, leaf: int | None, store: str
) -> list[dict[str, Any]]:
    """Return the leaves to run, of an audit or of the case on a leaf, with their inputs."""
    view, _, data = _batch(session, address, target, store)
    if leaf is None:
        indices = draw_of(view, data.record).indices
    else:
        _ = open_case(view, data.record, leaf)
        indices = [leaf]
    records = [data.leaf(index).record for index in indices]
    return [
        {"leaf": index, "input": one.input} for index, one in zip(indices, records, strict=True)
    ]


def panel_lines(
    session: Session, address: bytes, target: str, leaf: int | None
) -> list[dict[str, Any]]:
    """Return a row for each key on the panel of an audit, or of the case on a leaf."""
    view, record = looked_at(session, address), _record(session, target)
    view.need_registry(session.registry.address)
    panel = _panel(view, record, leaf)
    by = () if leaf is None else find_record(view.pool, record.id, first_block(record)).keys
    keys = [panel.entries[entry].key for entry in panel.places]
    return [
        {
            "key": member.key,
            "places": panel.places[entry],
            "account": member.account,
            "counts": member.standing is not Standing.CONVICTED and member.key not in by,
        }
        for entry, member in zip(panel.places, view.pool.members(keys), strict=True)
    ]


def case_lines(session: Session, address: bytes, target: str) -> list[dict[str, Any]]:
    """Return a row for each open case on a batch's leaves."""
    view, record = looked_at(session, address), _record(session, target)
    return [
        {
            "case_id": one.case.id,
            "leaf": one.leaf_index,
            "payer": one.case.payer,
            "seed_block": one.case.seed_block,
            "epoch": one.case.epoch,
            "challenged": one.case.challenged,
        }
        for one in find_cases(view.pool, record.id, first_block(record))
    ]


def sign(
    session: Session,
    address: bytes,
    target: str,
    leaf: int | None,
    store: str,
    recomputed: Path,
    out: Path,
) -> None:
    """Compare one's own run, and sign an audit, or a ruling on a leaf, with the session's account.

    Raises:
        ActionError: the key has no say, or what it would sign is not so.
    """
    seen, chain, data = _batch(session, address, target, store)
    view = PoolView(seen.pool, seen.now, session.sender.address)
    run, record = read_recomputed(recomputed), data.record
    says: PanelAudit | PanelVerdict
    if leaf is None:
        says = statement(view, chain, session.registry, data, run)
        panel, barred = audit_panel(view, record), Record()
        facts: dict[str, Any] = {"kind": "audit", "compared": len(run)}
    else:
        says, panel = verdict(view, data, leaf, run)
        barred = find_record(view.pool, record.id, first_block(record))
        facts = {"kind": "verdict", "leaf_index": leaf, "ruling": says.ruling.name.lower()}
    places = need_place(view, panel, barred.keys)
    result = {"batch_id": record.id, "key": view.sender, "places": places, **facts}
    if session.dry_run:
        session.show({**result, "dry_run": True})
        return
    signature = session.sender.sign(panel.domain, says.struct_hash())
    said = PanelStatement(panel.domain, record.id, says, leaf)
    said.signed(view.sender, signature).write(out)
    session.show({**result, "statement": str(out)})


def read_statements(session: Session, files: tuple[Path, ...]) -> PanelStatement:
    """Return what several files say, with all their signatures.

    Raises:
        StatementError: one is none, or they say different things.
        CommandError: they are of another chain.
    """
    said = PanelStatement.joined(PanelStatement.read(path) for path in files)
    if said.domain.chain_id != session.w3.eth.chain_id:
        raise CommandError(
            f"the statements are of chain {said.domain.chain_id}; this is chain "
            f"{session.w3.eth.chain_id}"
        )
    return said


def burned_in(session: Session, pool: Pool) -> int:
    """Return the stake that was burned and not yet swept, in units of the pool's asset."""
    chain_id = session.w3.eth.chain_id
    found = deployments.read(chain_id)
    first = min((one.block for one in found if one.address_bytes == pool.address), default=0)
    if not first:
        # Its registry was there before it.
        core = Registry(session.w3, pool.core())
        first = first_block_of(core, ChainCache.of(chain_id, core.address))
    return unswept(pool, first)


def first_block(record: BatchState) -> int:
    """Return the block of a batch's commit: no event of a pool about it is earlier."""
    return record.committed.block_number


def _panel(view: PoolView, record: BatchState, leaf: int | None) -> Panel:
    if leaf is None:
        return audit_panel(view, record)
    return case_panel(view, open_case(view, record, leaf))


def _record(session: Session, target: str) -> BatchState:
    key = batch_id_of(target)
    return ChainView(session.ledger_of(key), session.now, ZERO_ADDRESS).batch(key)


def _batch(
    session: Session, address: bytes, target: str, store: str
) -> tuple[PoolView, ChainView, BatchData]:
    key, view = batch_id_of(target), looked_at(session, address)
    view.need_registry(session.registry.address)
    chain = ChainView(session.ledger_of(key), session.now, ZERO_ADDRESS, session.registry)
    return view, chain, BatchData.load(GuardedStore(store), chain.batch(key))
