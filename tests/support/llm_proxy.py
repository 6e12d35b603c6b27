"""A proxy before operators as a process of its own, with the key of a requester."""

import json
from collections.abc import Sequence
from pathlib import Path

from eth_account import Account

from tests.support.local_server import LocalServer
from tests.support.story import KEY_OF, REQUESTERS

PASSPHRASE = "requester"


def write_keyfile(folder: Path) -> Path:
    """Write the first requester's keyfile, which opens at once; returns its path."""
    path = folder / "key.json"
    content = Account.encrypt(KEY_OF[REQUESTERS[0]], PASSPHRASE, "scrypt", iterations=2)
    path.write_text(json.dumps(content))
    return path


class ProxyProcess(LocalServer):
    """A proxy that may be killed and started again on the same folder.

    Args:
        folder: of its key, log and answers.
        options: of the command, but for its port and folder.
    """

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        folder.mkdir(parents=True)
        keyfile = write_keyfile(folder)
        super().__init__(
            folder,
            ["llm", "proxy", "--account", str(keyfile), *options],
            TALLYSTICK_PASSPHRASE=PASSPHRASE,
            TALLYSTICK_CACHE=str(folder / "cache"),
        )
