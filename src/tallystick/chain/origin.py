"""The block that a registry was deployed in: no event of it is earlier."""

from eth_typing import HexStr
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.cache import ChainCache, Checkpoint
from tallystick.chain.registry import Registry


def first_block_of(registry: Registry, cache: ChainCache) -> int:
    """Return the block that a registry was deployed in, or an earlier one.

    It is found by bisection of eth_getCode, once, and kept with its hash: on another chain of the
    same id (a local one begun anew) it is found again. A node that has no old state gives the block
    before which it is known not to be there, which may be 0; that is not kept.

    Args:
        registry: has code at the latest block.
        cache: of the registry.

    Raises:
        Web3Exception, OSError, ValueError: the node does not answer.
    """
    w3, known = registry.w3, cache.origin()
    latest = w3.eth.block_number
    if known and known.block <= latest and _hash(w3, known.block) == known.hash:
        return known.block
    address = Web3.to_checksum_address(registry.address)
    without, at, there = -1, -1, int(latest)
    while there - at > 1:
        middle = (at + there) // 2
        try:
            # As hex text: asked for block 0 as a number, Ape's web3 reads the latest.
            code = w3.eth.get_code(address, HexStr(hex(middle)))
        except (Web3Exception, ValueError):
            at = middle  # Its state is gone: nothing is learned, and later ones may be there.
            continue
        if code:
            there = middle
        else:
            without = at = middle
    if there == without + 1:
        cache.note_origin(Checkpoint(there, _hash(w3, there)))
    return without + 1


def _hash(w3: Web3, block: int) -> bytes:
    return bytes(w3.eth.get_block(block)["hash"])
