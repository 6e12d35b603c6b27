"""Confirmations that suit a chain: blocks on top of one before its events are acted on."""

from typing import NamedTuple


class Confirmations(NamedTuple):
    """A number of blocks, and why so many."""

    blocks: int
    reason: str


_SEQUENCED = Confirmations(1, "one sequencer orders the blocks, and rarely takes back its newest")
_BY_CHAIN = {
    31337: Confirmations(0, "a local chain"),
    1337: Confirmations(0, "a local chain"),
    1: Confirmations(3, "Ethereum gives up a single newest block now and then, two hardly ever"),
    11155111: Confirmations(3, "Sepolia, as Ethereum"),
    560048: Confirmations(3, "Hoodi, as Ethereum"),
    100: Confirmations(4, "Gnosis, as Ethereum, in shorter slots"),
    10: _SEQUENCED,
    130: _SEQUENCED,
    480: _SEQUENCED,
    8453: _SEQUENCED,
    42161: _SEQUENCED,
    42170: _SEQUENCED,
    59144: _SEQUENCED,
    534352: _SEQUENCED,
    84532: _SEQUENCED,
    421614: _SEQUENCED,
    11155420: _SEQUENCED,
    43114: Confirmations(1, "Avalanche accepts blocks for good"),
    56: Confirmations(
        5, "BNB Chain finalizes two blocks back, and further back when votes are late"
    ),
    137: Confirmations(16, "Polygon has given up many blocks at a time"),
}
UNKNOWN = Confirmations(12, "nothing is known about this chain")


def default_confirmations(chain_id: int) -> Confirmations:
    """Return what suits a chain; UNKNOWN's for one that is not in the table.

    >>> default_confirmations(31337).blocks, default_confirmations(1).blocks
    (0, 3)
    """
    return _BY_CHAIN.get(chain_id, UNKNOWN)


def confirmations_of(chosen: int | None, chain_id: int) -> Confirmations:
    """Return what settings choose, or the chain's default where they choose nothing."""
    if chosen is None:
        return default_confirmations(chain_id)
    return Confirmations(chosen, "set by common.confirmations")
