"""Open batches that could all be revealed in time."""

from dataclasses import replace

import pytest

from tallystick.node.operator.reveal_capacity import (
    ENTRY_DATA,
    MOST_DATA,
    REVEAL_DATA,
    reveal_capacity,
    reveals_at_once,
)
from tallystick.protocol.rules import MAX_BYTES
from tests.support.story import RULES

GAS = 60_000_000


def test_reveal_capacity__an_hour_of_twelve_second_blocks__half_of_them_are_counted_on() -> None:
    rules = replace(RULES, response_window=3600, max_bytes=0)

    found = reveal_capacity(rules, 12.0, GAS)

    assert found.blocks == 150
    assert found.each == MOST_DATA // (REVEAL_DATA + ENTRY_DATA)
    assert found.batches == 150 * found.each


@pytest.mark.parametrize(("max_bytes", "each"), [(MAX_BYTES, 1), (40_000, 2), (2_000, 24)])
def test_reveals_at_once__larger_leaves__fewer(max_bytes: int, each: int) -> None:
    assert reveals_at_once(replace(RULES, max_bytes=max_bytes), GAS) == each


def test_reveal_capacity__window_shorter_than_two_blocks__none() -> None:
    assert reveal_capacity(replace(RULES, response_window=20), 12.0, GAS).batches == 0


def test_reveals_at_once__small_blocks__as_many_as_a_block_holds() -> None:
    assert reveals_at_once(replace(RULES, max_bytes=0), 1_000_000) == 9
