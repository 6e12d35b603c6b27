"""Return values of a contract's views at a block, one or many in a request."""

from collections.abc import Sequence
from typing import Any, cast

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
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


BATCH = 100
"""Views that one request asks at most."""


def read_views(
    w3: Web3,
    source: str,
    address: bytes,
    name: str,
    asked: Sequence[Sequence[Any]],
    block: int,
) -> list[Any]:
    """Return what a view answers for each of many arguments, in few requests.

    Args:
        w3: connected; a node that takes no JSON-RPC batches is asked one by one.
        source: the packaged contract, such as Pool.
        address: 20 bytes, where the contract is.
        name: of the function.
        asked: arguments of each call.
        block: number; one for all, so that the answers belong together.

    Raises:
        ContractError, NoContractError: as of read_view.
    """
    function = contract(source).functions()[name]
    to, at = Web3.to_checksum_address(address), HexStr(hex(block))
    found: list[Any] = []
    for start in range(0, len(asked), BATCH):
        some = asked[start : start + BATCH]
        try:
            with w3.batch_requests() as batch:
                for args in some:
                    data = HexStr("0x" + (function.selector + encode(function.inputs, args)).hex())
                    batch.add(w3.eth.call({"to": to, "data": data}, at))
                executed = cast(list[bytes], batch.execute())
            answers = [decode(function.outputs, bytes(one)) for one in executed]
            if len(answers) != len(some):
                raise DecodingError(f"{len(answers)} answers to {len(some)} calls")
        except (Web3Exception, DecodingError, OSError, NotImplementedError, ValueError, TypeError):
            # Also one that has failed in part: asked singly, it tells which, and why.
            found.extend(read_view(w3, source, address, name, *args, block=block) for args in some)
            continue
        found.extend(one[0] if len(one) == 1 else one for one in answers)
    return found
