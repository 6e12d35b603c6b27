"""Draws of leaves for audits, and what they catch.

Source: the Committee resolver draws the same leaves from the same seed.
"""

from tallystick.protocol.abi_words import check_bytes, uint
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.merkle import depth_of


def draw(seed: bytes, batch_id: bytes, drawn: int, count: int) -> list[int]:
    """Return the indices of the leaves that an audit draws, in the order drawn.

    With replacement, so an index may stand there twice, and a share f of bad leaves is caught with
    probability exactly 1 - (1 - f)^drawn; every leaf once when as many are drawn as there are.

    Args:
        seed: 32 bytes, the hash of a block after the commit.
        batch_id: 32 bytes.
        drawn: how many to draw.
        count: leaves of the batch.

    >>> draw(bytes(32), bytes(32), drawn=3, count=3)
    [0, 1, 2]
    >>> draw(bytes(32), bytes(32), drawn=3, count=1000)
    [449, 897, 930]
    """
    check_bytes("seed", seed, 32)
    check_bytes("batch_id", batch_id, 32)
    depth_of(count)
    if drawn >= count:
        return list(range(count))
    prefix = seed + batch_id
    return [
        int.from_bytes(keccak256(prefix + uint(number)), "big") % count for number in range(drawn)
    ]


def catch_probability(share: float, drawn: int) -> float:
    """Return how likely a draw holds at least one bad leaf: 1 - (1 - share)^drawn.

    Args:
        share: bad leaves among all, 0 to 1.
        drawn: leaves drawn, with replacement.

    >>> round(catch_probability(0.05, 90), 3)
    0.99
    """
    return float(1 - (1 - share) ** drawn)
