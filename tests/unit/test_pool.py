"""Panels of a pool: places, quorums, what signatures and records look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import FieldError
from tallystick.protocol.pool import (
    NO_RECORD,
    Quorums,
    Record,
    SignedPlaces,
    listed,
    pack_signatures,
    places_of,
    seat_of,
)

KEYS = [bytes([number]) * 20 for number in range(1, 30)]
SIGNATURE = bytes(65)


@pytest.mark.parametrize(
    ("panel", "numbers"), [(9, (5, 19, 10, 12)), (15, (8, 31, 16, 19)), (31, (16, 63, 32, 38))]
)
def test_quorums__of_a_panel__as_the_terms_say(panel: int, numbers: tuple[int, ...]) -> None:
    found = Quorums.of(panel)

    assert (found.audit, found.judges, found.uphold, found.reject) == numbers


@pytest.mark.parametrize("panel", [7, 10, 33])
def test_quorums__of_another_size__refused(panel: int) -> None:
    with pytest.raises(FieldError, match="odd number from 9 to 31"):
        Quorums.of(panel)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=29), st.binary(min_size=32, max_size=32))
def test_places_of__any_list__whoever_holds_the_seat_holds_the_place(
    counts: list[int], seed: bytes
) -> None:
    entries = listed(zip(KEYS, counts, strict=False))
    held = places_of(entries, seed, bytes(32), 15)

    assert sorted(place for places in held.values() for place in places) == list(range(15))
    for entry, places in held.items():
        for place in places:
            assert entries[entry].holds(seat_of(seed, bytes(32), place, sum(counts)))


def test_places_of__nobody_enrolled__none() -> None:
    assert places_of([], bytes(32), bytes(32), 15) == {}


def test_pack_signatures__several__by_entry_with_their_places() -> None:
    packed = pack_signatures(
        {300: SignedPlaces((8,), SIGNATURE), 2: SignedPlaces((0, 3), SIGNATURE)}
    )

    assert packed[:11] == (2).to_bytes(3, "big") + (0b1001).to_bytes(8, "big")
    assert packed[76:87] == (300).to_bytes(3, "big") + (256).to_bytes(8, "big")
    assert len(packed) == 2 * 76


@pytest.mark.parametrize("places", [(), (1, 1), (64,)])
def test_signed_places__none_twice_or_beyond__refused(places: tuple[int, ...]) -> None:
    with pytest.raises(FieldError):
        SignedPlaces(places, SIGNATURE)


def test_record__nobody_signed__hash_is_zero() -> None:
    assert NO_RECORD.hash() == bytes(32)
    assert Record(bytes(32), (KEYS[0],)).hash() != bytes(32)
