"""Mappings that know a part of their keys."""

import copy

import pytest

from tallystick.errors import NotCoveredError
from tallystick.protocol.covered import covered, uncovered


def test_covered__key_outside__raises() -> None:
    lanes = covered("lane", {"mine"}.__contains__, list)

    assert lanes["mine"] == []
    with pytest.raises(NotCoveredError):
        _ = lanes["another"]
    with pytest.raises(NotCoveredError):
        lanes.get("another")


def test_deepcopy__covered__is_apart_and_covers_the_same() -> None:
    lanes = covered("lane", {"mine"}.__contains__, list)
    lanes["mine"].append(1)

    copied = copy.deepcopy(lanes)
    copied["mine"].append(2)

    assert (lanes["mine"], copied["mine"]) == ([1], [1, 2])
    with pytest.raises(NotCoveredError):
        _ = copied["another"]


def test_deepcopy__uncovered__still_covers_nothing() -> None:
    copied = copy.deepcopy(uncovered("credit", int))

    with pytest.raises(NotCoveredError):
        len(copied)
