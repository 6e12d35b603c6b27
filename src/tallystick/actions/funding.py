"""Money into the registry: a token's approval and the deposit."""

from collections.abc import Iterator

from eth_abi.abi import encode
from web3 import Web3

from tallystick.chain.call import Call
from tallystick.chain.registry import Registry
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.keccak import keccak256

_APPROVE = keccak256(b"approve(address,uint256)")[:4]
_ALLOWANCE = keccak256(b"allowance(address,address)")[:4]
_BALANCE_OF = keccak256(b"balanceOf(address)")[:4]


def deposit(registry: Registry, sender: bytes, asset: bytes, amount: int) -> Iterator[Call]:
    """Yield the calls that add to an account's credit, one to be sent after the other.

    Args:
        registry: the contract.
        sender: who pays and is credited, 20 bytes.
        asset: 20 bytes; zero: the native coin.
        amount: in units of the asset.
    """
    approve = approval(registry.w3, asset, sender, registry.address, amount)
    if approve is not None:
        yield approve
    value = amount if asset == ZERO_ADDRESS else 0
    yield registry.call("deposit", asset, amount, value=value)


def approval(w3: Web3, asset: bytes, owner: bytes, spender: bytes, amount: int) -> Call | None:
    """Return the call that lets a contract take a token; None when none is needed.

    Args:
        w3: connected.
        asset: 20 bytes; zero: the native coin.
        owner: whose token it is, 20 bytes.
        spender: the contract, 20 bytes.
        amount: in units of the asset.
    """
    if asset == ZERO_ADDRESS:
        return None
    to = Web3.to_checksum_address(asset)
    data = _ALLOWANCE + encode(["address", "address"], [owner, spender])
    allowed = w3.eth.call({"to": to, "data": Web3.to_hex(data)})
    if int.from_bytes(allowed, "big") >= amount:
        return None
    data = _APPROVE + encode(["address", "uint256"], [spender, amount])
    return Call(asset, data, 0, "approve")


def held(w3: Web3, asset: bytes, account: bytes) -> int:
    """Return what an account holds of an asset, in its units.

    Args:
        w3: connected.
        asset: 20 bytes; zero: the native coin.
        account: 20 bytes.
    """
    if asset == ZERO_ADDRESS:
        return int(w3.eth.get_balance(Web3.to_checksum_address(account)))
    data = _BALANCE_OF + encode(["address"], [account])
    to = Web3.to_checksum_address(asset)
    return int.from_bytes(w3.eth.call({"to": to, "data": Web3.to_hex(data)}), "big")
