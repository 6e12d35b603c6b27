"""Confirmations that suit a chain."""

from tallystick.chain.confirmations import UNKNOWN, confirmations_of, default_confirmations


def test_default_confirmations__local_sequenced_and_others__the_surer_the_fewer() -> None:
    local, sequenced, ethereum = (default_confirmations(one).blocks for one in (31337, 8453, 1))

    assert 0 == local < sequenced < ethereum < UNKNOWN.blocks
    assert default_confirmations(987_654_321) == UNKNOWN


def test_confirmations_of__set__as_set_and_zero_is_a_choice() -> None:
    assert confirmations_of(0, 1).blocks == 0
    assert confirmations_of(None, 1) == default_confirmations(1)
    assert "common.confirmations" in confirmations_of(7, 1).reason
