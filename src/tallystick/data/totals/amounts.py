"""Amounts in limbs back into whole numbers."""

from collections.abc import Mapping
from typing import Any

from tallystick.data.decode.words import LIMBS


def whole(row: Mapping[str, Any], name: str) -> int:
    """Return the amount whose limbs, or sums of limbs, a row holds.

    >>> whole({"burned_0": 5, "burned_1": 2, "burned_2": 0, "burned_3": 0}, "burned")
    8589934597
    """
    return sum(int(row[f"{name}_{place}"]) << 32 * place for place in range(LIMBS))
