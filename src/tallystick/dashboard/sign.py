"""The sign of a network: five notches up and down, by ten bytes of its id."""

from collections.abc import Iterator

from tallystick.protocol.hexes import from_hex

SIZE, ROUND = 36, 8
"""The ground's width and height, and how round its corners are."""
WIDE = 2
"""A notch's width; its ends are round."""


def notches(network_id: str) -> Iterator[tuple[float, float, float]]:
    """Yield left, top and height of each notch, on a ground of SIZE.

    >>> list(notches("0x" + "00ff" * 5 + "00" * 22))[:2]
    [(6, 15.0, 13.96875), (11, 15.0, 13.96875)]
    """
    told = from_hex(network_id, 32, "network id")
    for at in range(5):
        up, down = (3 + byte / 32 for byte in told[2 * at : 2 * at + 2])
        yield 6 + 5 * at, SIZE / 2 - up, up + down
