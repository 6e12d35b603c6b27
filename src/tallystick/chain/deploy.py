"""Deployment through the deterministic deployer: the same address on each chain.

Source: https://github.com/Arachnid/deterministic-deployment-proxy
"""

from typing import Any

from eth_abi.abi import encode
from web3 import Web3

from tallystick.chain.abi import contract
from tallystick.chain.call import Call
from tallystick.chain.sender import Sender, Sent
from tallystick.errors import DeployError as DeployError
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keccak import keccak256

DEPLOYER = bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c")
DEPLOYER_SIGNER = bytes.fromhex("3fab184622dc19b6109349b94811493bf2a45362")
"""Nobody has its key: one transaction is signed for it, and it is the deployer's creation."""
DEPLOYER_COST = 10**16
"""Wei: 100,000 gas at the 100 gwei that the signed transaction names."""
DEPLOYER_TRANSACTION = bytes.fromhex(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050"
    "506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a0222222222222"
    "2222222222222222222222222222222222222222222222222222"
)


def creation_code(name: str, *args: Any) -> bytes:
    """Return a packaged contract's creation code with its constructor's arguments."""
    found = contract(name)
    return found.bytecode + encode(found.constructor_types(), args)


def create2_address(code: bytes, salt: bytes = ZERO32) -> bytes:
    """Return where the deployer puts a contract, 20 bytes. Source: EIP-1014.

    >>> create2_address(b"").hex()
    '280cc1fc57a68d437a55f80201735cfd9a9ae40a'
    """
    return keccak256(b"\xff" + DEPLOYER + salt + keccak256(code))[12:]


def deployment(code: bytes, salt: bytes = ZERO32) -> Call:
    """Return the call of the deployer that puts a contract at `create2_address`."""
    return Call(DEPLOYER, salt + code, name="deploy")


def is_deployed(w3: Web3, address: bytes) -> bool:
    """Return whether there is code at an address; a CREATE2 address says which."""
    return len(w3.eth.get_code(Web3.to_checksum_address(address))) > 0


def deploy(
    w3: Web3, sender: Sender, code: bytes, salt: bytes = ZERO32
) -> tuple[bytes, Sent | None]:
    """Deploy unless it is there already.

    Returns:
        The address, 20 bytes, and the transaction; None when there was nothing to do.

    Raises:
        DeployError: the deployer ran and the contract is not there.
        ContractError: the constructor refuses its arguments.
    """
    address = create2_address(code, salt)
    if is_deployed(w3, address):
        return address, None
    if not is_deployed(w3, DEPLOYER):
        _bring_deployer(w3, sender)
    sent = sender.send(deployment(code, salt))
    if not is_deployed(w3, address):
        raise DeployError(f"there is no code at {checksummed(address)} after the deployment")
    return address, sent


def _bring_deployer(w3: Web3, sender: Sender) -> None:
    """Put the deployer on a chain that lacks it, by its one signed transaction."""
    signer = Web3.to_checksum_address(DEPLOYER_SIGNER)
    missing = DEPLOYER_COST - w3.eth.get_balance(signer)
    if missing > 0:
        sender.send(Call(DEPLOYER_SIGNER, b"", missing, "fund the deployer's signer"))
    tx_hash = w3.eth.send_raw_transaction(DEPLOYER_TRANSACTION)
    w3.eth.wait_for_transaction_receipt(tx_hash, timeout=120)
    if not is_deployed(w3, DEPLOYER):
        raise DeployError("this chain refuses the deterministic deployer's transaction")
