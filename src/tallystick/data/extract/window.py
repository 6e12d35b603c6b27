"""The number of things to ask for at once: halved when a node refuses, grown when it does not."""


class Window:
    """One node's.

    Args:
        largest: blocks of a range, or calls of a batch; also where it begins.
        streak: full ones in a row upon which it grows.

    >>> window = Window(1000)
    >>> window.refused(1000)
    >>> window.size
    500
    >>> for _ in range(8): window.accepted(window.size)
    >>> window.size
    1000
    """

    def __init__(self, largest: int, streak: int = 4) -> None:
        self.largest = self.size = largest
        self._needed, self._streak = streak, 0

    def refused(self, asked: int) -> None:
        """Note that a node refused this many."""
        self.size, self._streak = max(1, min(self.size, asked // 2)), 0

    def accepted(self, asked: int) -> None:
        """Note that a node answered for this many; after enough full ones in a row, grow."""
        if asked < self.size:
            return
        self._streak += 1
        if self._streak >= self._needed:
            self.size, self._streak = min(self.largest, self.size * 2), 0
