"""A node's word, at its start, on what it is; its refusals before it begins."""

from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from web3 import Web3

from tallystick.node.errors import SettingsError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.proof import SPEC_ID as ZK_1
from tallystick.protocol.rules import Rules
from tallystick.storage.file_lock import try_lock
from tallystick.storage.models.content import is_qi8, needs_trace


def held(folder: Path, shared: bool = False, hint: str = "") -> IO[str]:
    """Take a node's data folder for this process; it is free once the process is gone.

    Args:
        folder: made when it is missing.
        shared: further processes that say so too may take it.
        hint: how two processes may have it, for the refusal.

    Raises:
        SettingsError: another process has it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = try_lock(folder / "node.lock", shared)
    except OSError as error:
        raise SettingsError(f"common.data: {folder} cannot be written: {error.strerror}") from error
    if file is None:
        raise SettingsError(f"common.data: another process uses {folder}{hint}")
    return file


def public_url(url: str) -> str:
    """Return a URL without name and password, and without its query, which may hold a key.

    >>> public_url("s3://key:secret@bucket/batches?token=1"), public_url("/var/batches")
    ('s3://bucket/batches', '/var/batches')
    """
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def spec_of(spec_hash: bytes) -> str:
    """Return what a spec is called, or its hash."""
    if spec_hash == ZK_1:
        return "ZK-1"
    if not is_qi8(spec_hash):
        return to_hex(spec_hash)
    return "QI8-1T" if needs_trace(spec_hash) else "QI8-1"


def affordable(rules: Rules, credit: int) -> dict[str, int | None]:
    """Return how many bonds of each kind a credit pays; None: they are free.

    Args:
        rules: the network's.
        credit: in units of its asset.
    """
    bonds = {"challenge_bonds": rules.challenge_bond, "demand_bonds": rules.demand_bond}
    return {name: credit // bond if bond else None for name, bond in bonds.items()}


def coins(w3: Web3, account: bytes) -> int:
    """Return what an account has for gas, in wei."""
    return int(w3.eth.get_balance(Web3.to_checksum_address(account)))
