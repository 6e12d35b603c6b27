"""What the commands share: options, a session with a chain, output, and one line for an error."""

from tallystick.cli.command import ChainCommand, PlainCommand
from tallystick.cli.options import chain_options, sending_options
from tallystick.cli.session import Session

__all__ = ["ChainCommand", "PlainCommand", "Session", "chain_options", "sending_options"]
