"""The callback by which long work tells its progress."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called now and then with what is done and what there is to do, in the same unit."""
