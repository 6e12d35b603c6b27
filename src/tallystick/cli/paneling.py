"""What the committee's commands share: the committee, a batch's data, a member's signature."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tallystick.chain.panel import Panel
from tallystick.cli.command import CommandError
from tallystick.cli.moving import batch_id_of, board
from tallystick.cli.recomputed import read_recomputed
from tallystick.cli.replaying import proof_of
from tallystick.cli.session import Session
from tallystick.cli.staking import approval
from tallystick.committee import Audit, Verdict
from tallystick.hexes import checksummed, to_hex
from tallystick.moves import auditors
from tallystick.moves.audit import audit, draw_of, named, need_arbiter, verdict
from tallystick.moves.auditors import acquittal, drawn_by
from tallystick.moves.board import Board
from tallystick.moves.data import BatchData
from tallystick.statement import Statement
from tallystick.store import BatchStore
from tallystick.words import ZERO_ADDRESS


def draw_lines(session: Session, committee: bytes, target: str, store: str) -> list[dict[str, Any]]:
    """Return the drawn leaves of a batch with what is needed to run the model on them."""
    # Nobody is to sign or send: no account is needed.
    here = Board(session.ledger(), session.now, ZERO_ADDRESS)
    data = BatchData.load(BatchStore(store), here.batch(batch_id_of(target)))
    panel = Panel(session.w3, committee)
    found = draw_of(panel, panel.terms(), data)
    records = [data.records[index] for index in found.indices]
    return [
        {"leaf": index, "input": None if one.input is None else to_hex(one.input)}
        for index, one in zip(found.indices, records, strict=True)
    ]


def sign_audit(
    session: Session,
    committee: bytes,
    target: str,
    store: str,
    recomputed: Path,
    out: Path,
) -> None:
    """Compare the drawn leaves, and sign the audit when all are good."""
    here, data = _batch(session, target, store)
    panel = Panel(session.w3, committee)
    terms = panel.terms()
    found = draw_of(panel, terms, data)
    said = audit(here, session.registry, terms, data, found, read_recomputed(recomputed))
    _sign(session, panel, said, out, {"compared": len(found.indices)})


def sign_verdict(
    session: Session, committee: bytes, target: str, store: str, recomputed: Path, out: Path
) -> None:
    """Compare the challenged leaf, and sign the ruling."""
    here, data = _batch(session, target, store)
    said = verdict(here, data, read_recomputed(recomputed))
    panel = Panel(session.w3, committee)
    _sign(session, panel, said, out, {"ruling": said.ruling.name.lower()})


def merge(session: Session, files: tuple[Path, ...], out: Path) -> None:
    """Join the signatures of several files into evidence."""
    first, *rest = (Statement.read(path) for path in files)
    for other in rest:
        first = first.merged(other)
    panel = Panel(session.w3, first.domain.contract)
    needed = panel.terms().threshold
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


def stake(session: Session, committee: bytes, member: int | None, amount: int) -> None:
    """Add to a member's stake, approving a token first where needed."""
    panel = Panel(session.w3, committee)
    asset, place = panel.terms().asset, _place(session, panel, member)
    approve = approval(session, asset, panel.address, amount)
    if approve is not None:
        session.perform(approve)
        if session.dry_run:
            return
    value = amount if asset == ZERO_ADDRESS else 0
    call = panel.call("stake", place, amount, value=value)
    session.perform(call, member=place, amount=amount)


def leave(session: Session, committee: bytes, member: int | None, name: str) -> None:
    """Request a member's exit, or pay it out."""
    panel = Panel(session.w3, committee)
    place = _place(session, panel, member)
    session.perform(panel.call(name, place), member=place)


def convict(
    session: Session,
    file: Path,
    leaf: int | None,
    store: str,
    model: Path | None,
    evidence: bytes | None,
) -> None:
    """Burn the stake of whoever signed an audit that is shown to be wrong.

    By what the core has archived of the batch, if that convicts; else by evidence, for the
    committee's arbiter, that a drawn leaf is wrong: given, or made with the model.
    """
    statement = Statement.read(file)
    said = statement.says
    if not isinstance(said, Audit):
        raise CommandError(f"{file} holds a verdict; needed: an audit")
    if model is not None and evidence is not None:
        raise CommandError("needed: --model FILE or --evidence HEX, not both")
    panel = Panel(session.w3, statement.domain.contract)
    terms, here = panel.terms(), board(session)
    record = here.batch(said.batch_id)
    need_arbiter(terms, here.rules(record))
    facts = {"batch_id": said.batch_id, "members": sorted(statement.signatures)}
    reason = acquittal(terms, said, record.batch, session.registry.archived(said.batch_id))
    if reason is None:
        call = auditors.convict(panel, record.batch, said, statement.signatures)
        session.perform(call, way="archive", **facts)
        return
    drawn = drawn_by(terms, said, record.batch)
    if model is not None:
        leaf, evidence = proof_of(session, said.batch_id, leaf, model, store, drawn)
    if evidence is None or leaf is None:
        raise CommandError(
            f"{reason}; needed: --leaf and --evidence, or --model, by which "
            f"{checksummed(terms.arbiter)} rejects a drawn leaf"
        )
    if leaf not in drawn:
        raise CommandError(f"leaf {leaf} was not drawn; drawn were {named(sorted(drawn))}")
    opening = BatchData.load(BatchStore(store), record).opening(leaf)
    call = auditors.convict_on_evidence(
        panel, record.batch, said, statement.signatures, opening, evidence
    )
    session.perform(call, way="arbiter", leaf_index=leaf, **facts)


def sweep(session: Session, committee: bytes) -> None:
    """Send burned stake to the burn address."""
    session.perform(Panel(session.w3, committee).call("sweep"))


def seats(session: Session, committee: bytes) -> list[dict[str, Any]]:
    """Return a row a member."""
    return [
        {
            "member": one.member,
            "account": one.account,
            "key": one.key,
            "stake": one.stake,
            "exit_at": one.exit_at or None,
            "counts": one.counts,
        }
        for one in Panel(session.w3, committee).seats()
    ]


def _batch(session: Session, target: str, store: str) -> tuple[Board, BatchData]:
    here = board(session)
    return here, BatchData.load(BatchStore(store), here.batch(batch_id_of(target)))


def _place(session: Session, panel: Panel, member: int | None) -> int:
    return panel.place_of(session.sender.address) if member is None else member


def _sign(
    session: Session, panel: Panel, said: Audit | Verdict, out: Path, facts: Mapping[str, Any]
) -> None:
    """Sign with the session's account and write the statement, unless it is a dry run."""
    member = panel.place_of(session.sender.address)
    result = {"batch_id": said.batch_id, "member": member, **facts}
    if session.dry_run:
        session.show({**result, "dry_run": True})
        return
    signature = session.sender.sign(panel.domain, said.struct_hash())
    Statement(panel.domain, said).signed(member, signature).write(out)
    session.show({**result, "statement": str(out)})
