"""ape tallystick: all that sends a transaction, and beside it what reads the chain."""

import click

from tallystick.cli.command import LazyGroup
from tallystick.cli.main import READING

_NAMES = (
    "deploy",
    "network",
    "model",
    "stake",
    "key",
    "submit",
    "attest",
    "challenge",
    "demand",
    "reveal",
    "resolve",
    "disprove",
    "defend",
    "fault",
    "timeout",
    "lapse",
    "finalize",
    "archive",
    "sweep",
    "committee",
    "pool",
    "import",
    "enclave-http",
    "validation",
    "node",
    "demo",
)
SENDING = {name: f"tallystick.ape.commands.{name}:cli" for name in _NAMES} | {
    "import": "tallystick.ape.commands.imports:cli",
    "enclave-http": "tallystick.ape.commands.enclave_http:cli",
}
"""Commands that send, and where they are."""


@click.group(
    cls=LazyGroup,
    lazy=SENDING | READING,
    example="TALLYSTICK_NETWORK=ethereum:local:http://127.0.0.1:8545 ape tallystick tally",
)
@click.version_option(package_name="tallystick")
def cli() -> None:
    """Verified inference per network: all that sends, and what reads the chain.

    The chain and the account are named by --network and --account, or once for all by
    TALLYSTICK_NETWORK and TALLYSTICK_ACCOUNT. What needs no account is in `tallystick` too.
    """
