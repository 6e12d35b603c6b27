"""The key that may commit for an operator."""

from tallystick.cli.command import CommandError
from tallystick.cli.key import named
from tallystick.cli.session import Session
from tallystick.protocol.hexes import checksummed


def set_key(session: Session, key: bytes) -> None:
    """Have a key, 20 bytes, commit for the sender; zero: none may. Says so where it does already.

    Raises:
        CommandError: the key is the operator itself, which may always commit.
    """
    registry, operator = session.registry, session.sender.address
    if key == operator:
        raise CommandError(
            f"{checksummed(key)} is the operator itself, which may always commit; needed: another "
            "address, or `ape tallystick key unset`"
        )
    if registry.key(operator) == key:
        session.show({"move": "none: set already", **named(operator, key)})
        return
    session.perform(registry.call("setKey", key), **named(operator, key))
