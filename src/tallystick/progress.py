"""How long work tells how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called now and then with what is done and what there is to do, in the same unit."""
