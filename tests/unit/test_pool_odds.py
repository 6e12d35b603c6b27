"""Odds of a pool's panels: the table of docs/security.md.

share of all seats   gets k of n | upholds its fake | rejects an honest leaf
turnout              audits that complete | wrong leaves that are rejected at once
"""

import pytest
from click.testing import CliRunner

from tallystick.cli.pool import pool
from tallystick.errors import FieldError
from tallystick.protocol.pool_odds import Odds, Turnout, at_least, capture, stake_at_risk

TABLE = [
    (0.1, ("9e-04", "3e-05"), ("4e-06", "7e-09"), ("3e-08", "4e-12")),
    (0.2, ("2e-02", "4e-03"), ("2e-03", "9e-05"), ("5e-05", "6e-07")),
    (0.33, ("1e-01", "8e-02"), ("6e-02", "2e-02"), ("7e-03", "1e-03")),
    (0.4, ("3e-01", "2e-01"), ("2e-01", "1e-01"), ("4e-02", "1e-02")),
]


@pytest.mark.parametrize(("share", "audits", "upholds", "rejects"), TABLE)
def test_odds__of_a_share__are_the_tables(
    share: float, audits: tuple[str, str], upholds: tuple[str, str], rejects: tuple[str, str]
) -> None:
    found = [Odds.of(panel, share) for panel in (9, 15)]

    assert tuple(f"{odds.audits:.0e}" for odds in found) == audits
    assert tuple(f"{odds.upholds:.0e}" for odds in found) == upholds
    assert tuple(f"{odds.rejects:.0e}" for odds in found) == rejects


@pytest.mark.parametrize(
    ("turnout", "audited", "rejected"),
    [(0.7, (0.90, 0.95), (0.82, 0.89)), (0.8, (0.98, 0.996), (0.98, 0.996))],
)
def test_turnout__of_a_panel__is_the_tables(
    turnout: float, audited: tuple[float, float], rejected: tuple[float, float]
) -> None:
    for place, panel in enumerate((9, 15)):
        found = Turnout.of(panel, turnout)
        assert found.audited == pytest.approx(audited[place], abs=0.006)
        assert found.rejected == pytest.approx(rejected[place], abs=0.006)


def test_at_least__nothing_or_all__is_certain() -> None:
    assert at_least(0, 9, 0.3) == pytest.approx(1)
    assert at_least(1, 9, 0) == 0
    assert at_least(9, 9, 1) == 1


def test_odds__out_of_range__is_named() -> None:
    with pytest.raises(FieldError, match="share"):
        Odds.of(15, 1.1)
    with pytest.raises(FieldError, match="panel"):
        Odds.of(10, 0.1)


def test_commits__no_seats__never_come() -> None:
    assert Odds.of(15, 0).commits is None
    assert Odds.of(9, 0.1).commits == pytest.approx(1_120, rel=0.01)


def test_stake__of_a_false_audit__is_the_places_less_the_finders_part() -> None:
    assert stake_at_risk(15, 16) == 8 * 15
    assert capture(121, 10) == 610


def test_pool_odds__of_an_even_panel__is_one_line() -> None:
    done = CliRunner().invoke(pool, ["odds", "--panel", "10"])

    assert done.exit_code == 1
    assert done.output.strip() == "error: panel is 10; needed: an odd number from 9 to 31"


def test_pool_odds__as_text_and_as_json() -> None:
    shown = CliRunner().invoke(pool, ["odds", "--seats", "120", "--seat-stake", "1000"])
    told = CliRunner().invoke(pool, ["odds", "--json"])

    assert shown.exit_code == told.exit_code == 0
    assert "60,000" in shown.output
    assert '"panel": 15' in told.output
