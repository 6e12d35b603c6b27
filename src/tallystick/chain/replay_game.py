"""A replay game: the arbiter that settles an answer by one output element."""

from eth_abi.exceptions import DecodingError
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.view import read_view
from tallystick.errors import ContractError, NoContractError
from tallystick.protocol.hexes import from_hex

RULING_WINDOWS = 5
"""A network's ruling window must be at least so many response windows."""


def game_core(w3: Web3, address: bytes) -> bytes | None:
    """Return the registry that a replay game plays for; None where there is another contract.

    Args:
        w3: connected.
        address: 20 bytes, of any account.

    Raises:
        ConnectionError: the node cannot be reached.
    """
    try:
        # No other contract of the project has it.
        read_view(w3, "ReplayGame", address, "gameOf", bytes(32))
        return from_hex(str(read_view(w3, "ReplayGame", address, "CORE")), 20)
    except (ContractError, DecodingError, NoContractError, Web3Exception):
        return None
