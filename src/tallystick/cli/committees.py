"""A committee's work as its members see it: draws, audits, rulings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tallystick.actions.audit import audit, draw_of, verdict
from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ChainView
from tallystick.chain.committee import Committee
from tallystick.cli.recomputed import read_recomputed
from tallystick.cli.session import Session
from tallystick.cli.targets import batch_id_of, view
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.statement import Statement
from tallystick.storage.batch_parser import GuardedStore


def draw_lines(session: Session, address: bytes, target: str, store: str) -> list[dict[str, Any]]:
    """Return the drawn leaves of a batch with what is needed to run the model on them."""
    # Nobody is to sign or send: no account is needed.
    key = batch_id_of(target)
    here = ChainView(session.ledger_of(key), session.now, ZERO_ADDRESS)
    data = BatchData.load(GuardedStore(store), here.batch(key))
    committee = Committee(session.w3, address)
    found = draw_of(committee, committee.terms(), data)
    records = [data.records[index] for index in found.indices]
    return [
        {"leaf": index, "input": None if one.input is None else to_hex(one.input)}
        for index, one in zip(found.indices, records, strict=True)
    ]


def sign_audit(
    session: Session,
    address: bytes,
    target: str,
    store: str,
    recomputed: Path,
    out: Path,
) -> None:
    """Compare the drawn leaves, and sign the audit when all are good."""
    here, data = _batch(session, target, store)
    committee = Committee(session.w3, address)
    terms = committee.terms()
    found = draw_of(committee, terms, data)
    said = audit(here, session.registry, terms, data, found, read_recomputed(recomputed))
    _sign(session, committee, said, out, {"compared": len(found.indices)})


def sign_verdict(
    session: Session, address: bytes, target: str, store: str, recomputed: Path, out: Path
) -> None:
    """Compare the challenged leaf, and sign the ruling."""
    here, data = _batch(session, target, store)
    said = verdict(here, data, read_recomputed(recomputed))
    committee = Committee(session.w3, address)
    _sign(session, committee, said, out, {"ruling": said.ruling.name.lower()})


def merge(session: Session, files: tuple[Path, ...], out: Path) -> None:
    """Join the signatures of several files into evidence."""
    first, *rest = (Statement.read(path) for path in files)
    for other in rest:
        first = first.merged(other)
    committee = Committee(session.w3, first.domain.contract)
    needed = committee.terms().threshold
    out.write_text(to_hex(first.evidence()) + "\n")
    session.show(
        {
            "batch_id": first.says.batch_id,
            "signatures": len(first.signatures),
            "needed": needed,
            "enough": len(first.signatures) >= needed,
            "evidence": str(out),
        }
    )


def members(session: Session, address: bytes) -> list[dict[str, Any]]:
    """Return a row a member."""
    return [
        {
            "member": one.index,
            "account": one.account,
            "key": one.key,
            "stake": one.stake,
            "exit_at": one.exit_at or None,
            "counts": one.counts,
        }
        for one in Committee(session.w3, address).members()
    ]


def _batch(session: Session, target: str, store: str) -> tuple[ChainView, BatchData]:
    key = batch_id_of(target)
    here = view(session, key)
    return here, BatchData.load(GuardedStore(store), here.batch(key))


def place_of(session: Session, committee: Committee, member: int | None) -> int:
    """Return the place of a member, of the session's account where none is named."""
    return committee.place_of(session.sender.address) if member is None else member


def _sign(
    session: Session,
    committee: Committee,
    said: Audit | Verdict,
    out: Path,
    facts: Mapping[str, Any],
) -> None:
    """Sign with the session's account and write the statement, unless it is a dry run."""
    member = committee.place_of(session.sender.address)
    result = {"batch_id": said.batch_id, "member": member, **facts}
    if session.dry_run:
        session.show({**result, "dry_run": True})
        return
    signature = session.sender.sign(committee.domain, said.struct_hash())
    Statement(committee.domain, said).signed(member, signature).write(out)
    session.show({**result, "statement": str(out)})
