"""Responses of a validator of ERC-8004 (draft) to what waits for it."""

from pathlib import Path

from tallystick.actions.validation import Asked, unanswered
from tallystick.chain.validations import ValidationRegistry
from tallystick.cli.command import CommandError
from tallystick.cli.output import Row
from tallystick.cli.session import Session
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.validation_opinion import Opinion
from tallystick.storage.durable import replace_file


def respond_to_all(
    session: Session,
    at: bytes,
    network_id: bytes,
    reports: Path | None,
    uri: str,
    limit: int | None,
) -> None:
    """Respond once to each request that waits, a transaction each; tell why others still wait.

    Args:
        session: of the command, whose account is the validator.
        at: the validation registry's address, 20 bytes.
        network_id: whose batches are answered for, 32 bytes.
        reports: folder to write the reports to; None: only their hashes are told.
        uri: what stands before a report's name in its response's URI; empty: no URI.
        limit: responses at most; None: all.

    Raises:
        CommandError: a URI is given without a folder, or the network is not registered.
        ContractError, NoContractError: see ValidationRegistry.
    """
    if uri and reports is None:
        raise CommandError("--uri names where reports are served; needed: --reports FOLDER")
    validator, core = session.sender.address, session.registry.address
    ledger = session.ledger(network_id=network_id)
    if network_id not in ledger.networks:
        raise CommandError(f"no network {to_hex(network_id)} is registered in this registry")
    registry = ValidationRegistry(session.w3, at)
    waiting = list(unanswered(registry, validator, ledger, session.w3.eth.chain_id, core))
    ready = [one for one in waiting if isinstance(one.said, Opinion)][:limit]
    for one in waiting:
        if isinstance(one.said, str):
            session.show({"move": "none", **_named(one), "waits": one.said})
    for one in ready:
        _respond(session, registry, one, reports, uri)
    if not waiting:
        session.show({"move": "none: nothing waits for a response"})


def _respond(
    session: Session, registry: ValidationRegistry, one: Asked, reports: Path | None, uri: str
) -> None:
    said = one.said
    assert isinstance(said, Opinion)
    name = f"{to_hex(one.request_hash)}.json"
    if reports is not None and not session.dry_run:
        # Before the response that names it; made again, it is the same.
        reports.mkdir(parents=True, exist_ok=True)
        replace_file(reports / name, said.report())
    where = f"{uri.rstrip('/')}/{name}" if uri else ""
    call = registry.respond(one.request_hash, said.response, where, said.response_hash, said.tag)
    session.perform(
        call,
        **_named(one),
        tag=said.tag,
        response=said.response,
        verified=said.verified,
        rejected=said.rejected,
        inferences=said.inferences,
        response_hash=said.response_hash,
    )


def _named(one: Asked) -> Row:
    return {"request_hash": one.request_hash, "agent_id": one.agent_id}
