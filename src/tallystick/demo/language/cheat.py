"""An operator who changed its node: it answers by a cheaper file than the registered one.

python -m tallystick.demo.language.cheat SETTINGS ROLE REGISTERED
"""

import sys
from pathlib import Path

from web3 import HTTPProvider, Web3

from tallystick.chain.sender import Web3Sender
from tallystick.chain.signer import KeySigner
from tallystick.demo.cast import account
from tallystick.node.operator import models
from tallystick.node.operator.process import run_operator
from tallystick.node.settings import Settings
from tallystick.storage.models.content import content_hash


def main() -> None:
    """Serve the cheaper file under the registered one's name."""
    file, role, registered = sys.argv[1:]
    settings = Settings.load(Path(file))
    claimed = content_hash(Path(registered))
    # An honest node compares its file's hash with the chain's; this one does not look.
    models.content_hash = lambda path, spec_hash=b"": claimed  # type: ignore[attr-defined]
    w3, signer = Web3(HTTPProvider(settings.common.rpc)), account(role)
    run_operator(settings, w3, Web3Sender(w3, signer), KeySigner(signer))


if __name__ == "__main__":
    main()
