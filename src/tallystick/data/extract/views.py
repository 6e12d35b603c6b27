"""Views of a contract at a block that is named by number and hash."""

from collections.abc import Sequence

from tallystick.chain.rpc.errors import (
    BusyError,
    DeniedError,
    PrunedError,
    RevertedError,
    RpcError,
    UnavailableError,
)
from tallystick.data.extract.fetch import header
from tallystick.data.extract.rpc import RpcNode
from tallystick.protocol.hexes import to_hex


async def views_at(
    node: RpcNode, address: bytes, calls: Sequence[bytes], number: int, block_hash: str
) -> list[str]:
    """Return what a contract answers to calls, as hex text, at one block's end.

    The block is named by its hash (EIP-1898). To a node that does not take that, or answers with
    nothing, by its number; then its hash is looked at before and after.

    Args:
        node: asked.
        address: the contract's, 20 bytes.
        calls: selector and arguments of each.
        number: the block's.
        block_hash: the block's, hex text.

    Raises:
        PrunedError: the node has the state of that block no longer.
        RevertedError: the contract refuses a call.
        UnavailableError: the node has another block of that number, or no answer now.
        RpcError: it refuses both ways.
    """

    async def ask(block: object) -> list[str]:
        params = [[{"to": to_hex(address), "data": to_hex(call)}, block] for call in calls]
        return await node.calls(str, "eth_call", params)

    if not calls:
        return []
    try:
        try:
            answers = await ask({"blockHash": block_hash, "requireCanonical": True})
            if all(len(answer) > len("0x") for answer in answers):
                return answers
        except (BusyError, DeniedError, PrunedError, RevertedError):
            raise
        except RpcError:
            pass
        await _check(node, number, block_hash)
        answers = await ask(hex(number))
        await _check(node, number, block_hash)
    except PrunedError as error:
        raise PrunedError(
            f"{node.name} no longer has the state at block {number} ({error}); needed: an archive "
            "node, or `tallystick extract` again, for a later block"
        ) from error
    if any(len(answer) <= len("0x") for answer in answers):
        raise RpcError(
            f"{node.name} answers calls to {to_hex(address)} at block {number} with nothing (0x): "
            "it has no contract there, or not the state; needed: another node, or an archive node"
        )
    return answers


async def balance_at(node: RpcNode, address: bytes, number: int, block_hash: str) -> int:
    """Return the coins that an account holds, in wei, at one block's end.

    Raises:
        PrunedError: the node has the state of that block no longer.
        UnavailableError: the node has another block of that number, or no answer now.
        RpcError: it refuses.
    """
    await _check(node, number, block_hash)
    found = int(await node.call(str, "eth_getBalance", to_hex(address), hex(number)), 16)
    await _check(node, number, block_hash)
    return found


async def _check(node: RpcNode, number: int, block_hash: str) -> None:
    found = await header(node, number)
    if found.hash != block_hash:
        raise UnavailableError(
            f"{node.name} has another block {number} than the folder; run `tallystick extract` "
            "again, or name another node"
        )
