"""Keyfiles of Ape in a data folder of the test, made by Ape's own command."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.builds import ROOT


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
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return self.folder / "accounts" / f"{alias}.json"

    def environment(self, **passphrases: str) -> dict[str, str]:
        """Return this process's environment with the folder, and passphrases by alias."""
        own = {f"APE_ACCOUNTS_{alias}_PASSPHRASE": text for alias, text in passphrases.items()}
        return os.environ | {"APE_DATA_FOLDER": str(self.folder)} | own
