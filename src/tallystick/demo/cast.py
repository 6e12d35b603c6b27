"""The demo's cast: accounts of the development mnemonic, and keys that only sign."""

from dataclasses import dataclass

from eth_account import Account
from eth_account.signers.local import LocalAccount

from tallystick.chain.localnet import MNEMONIC
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.signature import account_of

Account.enable_unaudited_hdwallet_features()

ROLES = (
    "owner",
    "ada",
    "bob",
    "cyd",
    "dan",
    "eve",
    "fay",
    "verifier",
    "griefer",
    "member 0",
    "member 1",
    "member 2",
    "gil",
    "hal",
    "ivy",
    "jon",
    *(f"auditor {number}" for number in range(12)),
)
MEMBERS = 3
"""Of each committee."""
AUDITORS = 12
"""Keys in the pool; one person's, as all keys of the demo are."""
CARELESS = range(3, AUDITORS)
"""Auditors who sign without looking."""
REQUESTERS = 8


def account(role: str) -> LocalAccount:
    """Return the account that plays a role."""
    path = f"m/44'/60'/0'/0/{ROLES.index(role)}"
    signer: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=path)
    return signer


@dataclass(frozen=True, slots=True)
class Requester:
    """Somebody who asks and signs; never sends a transaction."""

    key: bytes
    address: bytes


def requesters() -> list[Requester]:
    """Return the requesters, by address."""
    keys = [keccak256(b"requester %d" % number) for number in range(REQUESTERS)]
    return sorted((Requester(key, account_of(key)) for key in keys), key=lambda one: one.address)
