"""State of the batches of a registry, or of a part of it."""

from collections.abc import Mapping
from typing import NamedTuple

from tallystick.protocol.ledger import BatchState
from tallystick.protocol.rules import Rules


class Standing(NamedTuple):
    """Batches as they stand after the events that were read."""

    rules: Mapping[bytes, Rules]
    """By network id."""
    batches: Mapping[bytes, BatchState]
    """By id, in the order of their commits."""
