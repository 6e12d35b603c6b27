"""Number of open batches that an operator can stand by, should all be demanded at once.

What a reveal costs is measured by `python -m tests.gas.reveal`; tests/gas/test_reveal.py holds it
to the figures here.
"""

from dataclasses import dataclass

from web3 import Web3

from tallystick.chain.fees import MOST_GAS
from tallystick.protocol.rules import Rules

MOST_DATA = 94_000
"""Bytes of one transaction's data: Nitro takes 95,000, geth's pool 131,072."""
SAMPLE = 64
"""Blocks that the time between two is measured over."""
REVEAL_GAS = 95_000
"""Of the dearest reveal without bytes: of 2^20 leaves, a requester's, credit that was zero."""
BYTE_GAS = 40
"""Of a byte of input or output: what the data cost at least (EIP-7623)."""
REVEAL_DATA = 1_780
"""Bytes of the same reveal, with what rounds input and output up to words."""
ENTRY_GAS, ENTRY_DATA = 10_000, 96
"""What an entry of `each` costs beside its call, at most."""
_SAFE_SHARE = 2
"""The response window divided by it is what is counted on: fees rise, and nodes are away."""


@dataclass(frozen=True, slots=True)
class RevealCapacity:
    """The number, and what it follows from."""

    batches: int
    """That may be open."""
    blocks: int
    """Of the response window, that are counted on."""
    each: int
    """Reveals in one transaction, one transaction a block."""
    block_seconds: float


def block_seconds(w3: Web3) -> float:
    """Return the seconds between two blocks, measured over the latest ones; at least 0.1.

    A chain with a single block has none: 12 are taken.
    """
    latest = w3.eth.get_block("latest")
    count = min(SAMPLE, int(latest["number"]))
    if not count:
        return 12.0
    before = w3.eth.get_block(int(latest["number"]) - count)
    return max(0.1, (int(latest["timestamp"]) - int(before["timestamp"])) / count)


def reveals_at_once(rules: Rules, block_gas: int) -> int:
    """Return how many of a network's largest reveals one transaction holds, at least one.

    Args:
        rules: the network's.
        block_gas: gas limit of a block.
    """
    by_gas = min(MOST_GAS, block_gas) // (REVEAL_GAS + ENTRY_GAS + BYTE_GAS * rules.max_bytes)
    by_data = MOST_DATA // (REVEAL_DATA + ENTRY_DATA + rules.max_bytes)
    return max(1, min(by_gas, by_data))


def reveal_capacity(rules: Rules, seconds: float, block_gas: int) -> RevealCapacity:
    """Return how many batches may be open, should all be demanded at once.

    Args:
        rules: the network's.
        seconds: between two blocks.
        block_gas: gas limit of a block.
    """
    blocks = int(rules.response_window / seconds / _SAFE_SHARE)
    each = reveals_at_once(rules, block_gas)
    return RevealCapacity(blocks * each, blocks, each, seconds)
