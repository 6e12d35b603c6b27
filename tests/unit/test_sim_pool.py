"""The simulated year of a pool, small: its draws are the twin's, and its rates the formulas'.

draws     seats to places as protocol.pool does | a member's word is one for all its places
rates     near the odds | a wrong formula is noticed
the rest  fakes add up | no honest member burns but by a majority of cheats | picture
"""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from tallystick.protocol.keccak import keccak256
from tallystick.protocol.pool import listed, places_of, seat_of
from tests.sim import pool as command
from tests.sim.lists import Members, SeatList
from tests.sim.year import CAPTURED, LUCKY, Rate, World, Year, simulate

SMALL = World(9, 0.33, networks=100, members=400, weeks=6, candidates=16)


@pytest.fixture(scope="module")
def year() -> Year:
    return simulate(SMALL, 7)


def test_holders__seats_that_the_twin_draws__are_the_twins_entries():
    chance = np.random.default_rng(1)
    keys, seats = np.arange(50), chance.integers(1, 40, 50)
    entries = listed(
        (bytes([key]) * 20, int(count)) for key, count in zip(keys, seats, strict=True)
    )
    drawn = SeatList.of(keys, seats)
    for number in range(40):
        seed, panel_id = keccak256(b"seed %d" % number), keccak256(b"batch %d" % number)
        numbers = [seat_of(seed, panel_id, place, drawn.seats) for place in range(31)]

        found = drawn.holders(np.array(numbers))

        held = places_of(entries, seed, panel_id, 31)
        expected = {place: entry for entry, places in held.items() for place in places}
        assert found.tolist() == [expected[place] for place in range(31)]


def test_panels__many__each_seat_as_often_as_another():
    keys, seats = np.arange(4), np.array([1, 2, 3, 4])

    panels = SeatList.of(keys, seats).panels(np.random.default_rng(2), 20_000, 9)

    counts = np.bincount(panels.ravel()) / panels.size
    assert counts == pytest.approx(seats / 10, abs=0.005)


def test_signing__places_of_a_member__are_signed_all_or_none():
    members = Members.of(np.random.default_rng(3), 20, 0.3)
    panels = members.enrolled(np.random.default_rng(4), 1.0).panels(
        np.random.default_rng(5), 500, 15
    )

    signed = members.signing(panels, 0)

    assert not signed[members.cheats[panels]].any()
    for panel, says in zip(panels, signed, strict=True):
        for member in np.unique(panel):
            assert len(set(says[panel == member].tolist())) == 1
    honest = ~members.cheats[panels]
    expected = members.turnout[panels][honest].mean()
    assert signed[honest].mean() == pytest.approx(expected, abs=0.03)


def test_year__rates__are_the_formulas(year: Year):
    assert all(one.off < command.FARTHEST for one in year.rates.values())
    assert year.rates[LUCKY].came > 100
    assert year.rates[CAPTURED].came > 0


def test_rate__another_formula__is_far_off(year: Year):
    wrong = Rate(LUCKY)
    wrong.add(year.rates[LUCKY].tried, year.rates[LUCKY].came, year.rates[LUCKY].odds * 2)

    assert wrong.off > command.FARTHEST


def test_year__fakes__add_up_and_cost_something(year: Year):
    fakes = year.fakes
    assert fakes["committed"] == 10 * SMALL.batches * SMALL.weeks
    assert 0 < fakes["verified"] <= fakes["audited"] < fakes["committed"]
    assert year.slashed == fakes["rejected"] * SMALL.slash > 0
    assert year.cost == (year.burned + year.slashed) / fakes["verified"]


def test_year__without_cheats__nothing_is_verified_that_is_not_and_nobody_burns():
    quiet = simulate(replace(SMALL, share=0.0, cheating=0.1), 8)

    assert quiet.fakes["verified"] == quiet.honest_burned["audits"] == 0
    assert quiet.cost is None


def test_year__honest_members__burn_by_captured_panels_alone(year: Year):
    assert year.honest_burned["audits"] > 0
    assert year.honest_burned["by panels without a majority of cheats"] == 0
    careless = simulate(replace(SMALL, share=0.0, mistaken=0.7), 9)
    assert careless.honest_burned["by panels without a majority of cheats"] > 0


def test_year__same_seed__is_the_same(year: Year):
    again = simulate(SMALL, 7)

    assert command.rows(again) == command.rows(year)
    assert command.rows(simulate(SMALL, 8)) != command.rows(year)


def test_picture__of_years__is_xml_with_a_mark_for_what_came(year: Year):
    root = ElementTree.fromstring(command.picture([year]))

    marks = [one for one in root.iter() if one.tag.endswith("circle")]
    series = 3 * len(command.PANELS)
    came = sum(year.rates[name].came > 0 for name in (LUCKY, CAPTURED, "upholds its fake"))
    assert len(marks) == series + came
