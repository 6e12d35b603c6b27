"""What a contract's view answers at a block."""

from typing import Any

from eth_abi.abi import decode, encode
from eth_typing import HexStr
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import BlockIdentifier

from tallystick.chain.abi import contract
from tallystick.chain.revert import refused
from tallystick.errors import NoContractError


def read_view(
    w3: Web3,
    source: str,
    address: bytes,
    name: str,
    *args: Any,
    block: BlockIdentifier = "latest",
) -> Any:
    """Return what a view answers: one value, or a tuple; structs are tuples.

    Args:
        w3: connected.
        source: the packaged contract, such as Tallystick.
        address: 20 bytes, where the contract is.
        name: of the function.
        args: in the order of the ABI, structs as tuples, bytes as bytes.
        block: at whose end it is read.

    Raises:
        ContractError: the view refuses, as ownerOf does for an unknown network.
        NoContractError: there is no contract at the address, at that block.
    """
    function = contract(source).functions()[name]
    data = function.selector + encode(function.inputs, args)
    to = Web3.to_checksum_address(address)
    try:
        # As hex text: asked for block 0 as a number, the web3 that Ape connects reads the latest.
        at = HexStr(hex(block)) if isinstance(block, int) else block
        answer = w3.eth.call({"to": to, "data": HexStr("0x" + data.hex())}, at)
    except Web3Exception as error:
        raise refused(error) from error
    if not answer:
        raise NoContractError(f"no contract at {to} at block {block!r}")
    values = decode(function.outputs, answer)
    return values[0] if len(values) == 1 else values
