"""Networks from files."""

from pathlib import Path

import click

from tallystick.actions.preflight import preflight
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.protocol.rules import network_id
from tallystick.storage.network_file import NetworkFile


def create_network(session: Session, path: Path, insist: bool = False) -> None:
    """Register a network; says so when it is registered already, and warns of weak rules.

    Args:
        session: of the owner.
        path: of the network's file.
        insist: also where a rule can never work.

    Raises:
        CommandError: a rule can never work, and nobody insists; nothing was sent.
    """
    file, registry = NetworkFile.read(path), session.registry
    chain_id, owner = session.w3.eth.chain_id, session.sender.address
    key = network_id(chain_id, registry.address, owner, file.salt, file.rules)
    if session.knows(key):
        session.show({"move": "none: registered already", "network_id": key})
        return
    found = preflight(registry, file.rules)
    never = [str(one) for one in found if one.never_works]
    refuses = bool(never) and not insist and not session.dry_run
    for one in found:
        if not (refuses and one.never_works):
            word = "can never work" if one.never_works else "warning"
            click.echo(f"{word}: {one}", err=True)
    if refuses:
        raise CommandError(
            f"{path}: these rules can never work, and are for good: {'; '.join(never)}. "
            "Nothing was sent; --yes registers them all the same"
        )
    call = registry.call(
        "registerNetwork", file.salt, file.rules.abi(), file.parent, file.name, file.uri
    )
    session.perform(call, network_id=key)
