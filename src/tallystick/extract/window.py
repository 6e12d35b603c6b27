"""How many blocks to ask for at once: halved when a node refuses, grown again when it does not."""


class Window:
    """One node's.

    Args:
        largest: blocks; also where it begins.

    >>> window = Window(1000)
    >>> window.refused(1000)
    >>> window.size
    500
    >>> for _ in range(8): window.accepted(window.size)
    >>> window.size
    1000
    """

    def __init__(self, largest: int) -> None:
        self.largest = self.size = largest
        self._streak = 0

    def refused(self, asked: int) -> None:
        """Note that a node refused this many blocks."""
        self.size, self._streak = max(1, min(self.size, asked // 2)), 0

    def accepted(self, asked: int) -> None:
        """Note that a node answered for this many blocks; after four full ones in a row, grow."""
        if asked < self.size:
            return
        self._streak += 1
        if self._streak >= 4:
            self.size, self._streak = min(self.largest, self.size * 2), 0
