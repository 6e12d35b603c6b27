"""The key that may commit for an operator."""

from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.hexes import checksummed
from tallystick.words import ZERO_ADDRESS


def set_key(session: Session, key: bytes) -> None:
    """Have a key, 20 bytes, commit for the sender; zero: none may. Says so where it does already.

    Raises:
        CommandError: the key is the operator itself, which may always commit.
    """
    registry, operator = session.registry, session.sender.address
    if key == operator:
        raise CommandError(
            f"{checksummed(key)} is the operator itself, which may always commit; needed: another "
            "address, or `ape run key unset`"
        )
    if registry.key(operator) == key:
        session.show({"move": "none: set already", **_named(operator, key)})
        return
    session.perform(registry.call("setKey", key), **_named(operator, key))


def show_key(session: Session, operator: bytes) -> None:
    """Print the key that may commit for an operator, at the latest block."""
    block = session.w3.eth.block_number
    key = session.registry.key(operator, block)
    session.show({**_named(operator, key), "block": block})


def _named(operator: bytes, key: bytes) -> dict[str, str | None]:
    return {
        "operator": checksummed(operator),
        "key": None if key == ZERO_ADDRESS else checksummed(key),
    }
