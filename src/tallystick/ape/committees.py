"""Transactions of a committee's members: stake, exits, convictions."""

from pathlib import Path

from tallystick.actions import auditors
from tallystick.actions.audit import named, need_arbiter
from tallystick.actions.auditors import acquittal, drawn_by
from tallystick.actions.batch_data import BatchData
from tallystick.actions.funding import approval
from tallystick.chain.committee import Committee
from tallystick.cli.command import CommandError
from tallystick.cli.committees import place_of
from tallystick.cli.replays import proof_of
from tallystick.cli.session import Session
from tallystick.cli.targets import view
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.committee import Audit
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.statement import Statement
from tallystick.storage.batch_parser import GuardedStore


def stake(session: Session, address: bytes, member: int | None, amount: int) -> None:
    """Add to a member's stake, approving a token first where needed."""
    committee = Committee(session.w3, address)
    asset, place = committee.terms().asset, place_of(session, committee, member)
    approve = approval(session.w3, asset, session.sender.address, committee.address, amount)
    if approve is not None:
        session.perform(approve)
        if session.dry_run:
            return
    value = amount if asset == ZERO_ADDRESS else 0
    call = committee.call("stake", place, amount, value=value)
    session.perform(call, member=place, amount=amount)


def leave(session: Session, address: bytes, member: int | None, name: str) -> None:
    """Request a member's exit, or pay it out."""
    committee = Committee(session.w3, address)
    place = place_of(session, committee, member)
    session.perform(committee.call(name, place), member=place)


def convict(
    session: Session,
    file: Path,
    leaf: int | None,
    store: str,
    model: Path | None,
    evidence: bytes | None,
) -> None:
    """Burn the stake of whoever signed an audit that is shown to be wrong.

    By what the registry has archived of the batch, if that convicts; else by evidence, for the
    committee's arbiter, that a drawn leaf is wrong: given, or made with the model.
    """
    statement = Statement.read(file)
    said = statement.says
    if not isinstance(said, Audit):
        raise CommandError(f"{file} holds a verdict; needed: an audit")
    if model is not None and evidence is not None:
        raise CommandError("needed: --model FILE or --evidence HEX, not both")
    committee = Committee(session.w3, statement.domain.contract)
    terms, here = committee.terms(), view(session, said.batch_id)
    record = here.batch(said.batch_id)
    need_arbiter(terms, here.rules(record))
    facts = {"batch_id": said.batch_id, "members": sorted(statement.signatures)}
    reason = acquittal(terms, said, record.batch, session.registry.archived(said.batch_id))
    if reason is None:
        call = auditors.convict(committee, record.batch, said, statement.signatures)
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
    opening = BatchData.load(GuardedStore(store), record).opening(leaf)
    call = auditors.convict_on_evidence(
        committee, record.batch, said, statement.signatures, opening, evidence
    )
    session.perform(call, way="arbiter", leaf_index=leaf, **facts)


def sweep(session: Session, address: bytes) -> None:
    """Send burned stake to the burn address."""
    session.perform(Committee(session.w3, address).call("sweep"))
