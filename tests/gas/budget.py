"""What an operation may cost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """The ceiling of an operation, in gas, and what peers pay for the like."""

    ceiling: float
    peers: str
