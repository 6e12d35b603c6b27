"""The largest reveals cost no more than an operator counts on, and not much less."""

from collections.abc import Iterator

import pytest

from tallystick.chain.localnet import localnet
from tallystick.node.operator.reveal_capacity import (
    BYTE_GAS,
    ENTRY_DATA,
    ENTRY_GAS,
    REVEAL_DATA,
    REVEAL_GAS,
)
from tests.gas.reveal import GENESIS, SIZES, measure, measure_each
from tests.support.chain import Chain


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with localnet(timestamp=GENESIS) as w3:
        yield Chain(w3)


def test_reveal__largest_of_each_size__is_as_dear_as_counted_on(chain: Chain) -> None:
    with chain.isolated():
        found = measure(chain)

    for size in SIZES:
        counted = REVEAL_GAS + BYTE_GAS * size
        assert counted * 0.85 < found[size].gas <= counted, size
        assert REVEAL_DATA - 100 <= found[size].data - size <= REVEAL_DATA, size


@pytest.mark.parametrize(("count", "size"), [(20, 0), (2, 44_000)])
def test_each__several_reveals__is_as_dear_as_counted_on(
    chain: Chain, count: int, size: int
) -> None:
    with chain.isolated():
        found = measure_each(chain, count, size)

    assert found.gas <= count * (REVEAL_GAS + ENTRY_GAS + BYTE_GAS * size)
    assert found.data <= count * (REVEAL_DATA + ENTRY_DATA + size)
