"""Checks before a pool is deployed: its terms, and what the chain has to have for it."""

from web3 import Web3

from tallystick.chain.pool import HISTORY, PoolTerms
from tallystick.errors import DeployError
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed


def need_deployable(w3: Web3, terms: PoolTerms) -> None:
    """Raise unless the constructor would take these terms on this chain.

    Raises:
        FieldError: a term is out of its range.
        DeployError: the chain has no history contract, or nothing is at an address that is named.
    """
    terms.check()
    if not _has_code(w3, HISTORY):
        raise DeployError(
            f"chain {w3.eth.chain_id} has no history contract of EIP-2935 at "
            f"{checksummed(HISTORY)}: a pool could not draw by its blocks"
        )
    for name in ("asset", "replay"):
        address = getattr(terms, name)
        if address != ZERO_ADDRESS and not _has_code(w3, address):
            raise DeployError(f"{name} is {checksummed(address)}, where no contract is")


def _has_code(w3: Web3, address: bytes) -> bool:
    return bool(w3.eth.get_code(Web3.to_checksum_address(address)))
