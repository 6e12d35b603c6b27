"""Keyfiles of Ape in a data folder of the test."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

from tests.support.builds import ROOT
from tests.support.patience import PATIENCE


@dataclass(frozen=True)
class Keyfiles:
    """A data folder of Ape, which no account of the user's is in."""

    folder: Path

    def add(self, alias: str, key: bytes, passphrase: str) -> Path:
        """Have `ape accounts import` write a keyfile; returns its path."""
        done = subprocess.run(
            ["ape", "accounts", "import", alias],
            cwd=ROOT,
            env=self.environment(),
            input=f"0x{key.hex()}\n{passphrase}\n{passphrase}\n",
            capture_output=True,
            text=True,
            # Without a terminal, secrets are read from standard input.
            start_new_session=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return self.folder / "accounts" / f"{alias}.json"

    def write(self, alias: str, key: bytes, passphrase: str) -> Path:
        """Write a keyfile that opens at once, where Ape's own take a second; returns its path."""
        path = self.folder / "accounts" / f"{alias}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(Account.encrypt(key, passphrase, "scrypt", iterations=2)))
        return path

    def environment(self, **passphrases: str) -> dict[str, str]:
        """Return this process's environment with the folder, and passphrases by alias."""
        own = {f"APE_ACCOUNTS_{alias}_PASSPHRASE": text for alias, text in passphrases.items()}
        return os.environ | {"APE_DATA_FOLDER": str(self.folder)} | own
