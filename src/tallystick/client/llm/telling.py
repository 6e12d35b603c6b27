"""Events of asking, told to whoever shows or logs them."""

from collections.abc import Callable
from typing import Any

Tell = Callable[[str, dict[str, Any]], None]
"""Take an event, short and constant, and its facts."""


def tell_nobody(event: str, facts: dict[str, Any]) -> None:
    """Show nothing."""
