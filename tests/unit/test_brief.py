"""Tables in brief: 100 columns whatever the names and numbers, and nothing that is not so.

width     long, wide and hostile names; the largest counters; all counters; split by all
numbers   exact as long as they are short
colour    where a terminal is only, unless NO_COLOR is set
"""

from typing import Any

import pytest
from rich.cells import cell_len

from tallystick.cli import brief
from tallystick.cli.batches import BRIEF
from tallystick.cli.brief import COUNTERS, WIDTH
from tallystick.cli.human import amount, count, duration
from tallystick.cli.tally import _brief as tally_brief
from tallystick.cli.totals import _brief as totals_brief

MOST = 2**51 - 1
NAMES = ["", "Agora", "N" * 500, "\u7db2" * 300, "\x1b[31mred\u202egnp.exe\nnew line " * 20]
ID = b"\xab" * 32
ADDRESS = b"\xcd" * 20


class Networks:
    """Of an analysis what a table asks."""

    def networks(self) -> dict[Any, dict[str, Any]]:
        return {(1, ADDRESS, ID): {"rules_asset": "0x" + "00" * 20}}


def rows(number: int) -> list[dict[str, Any]]:
    counted = dict.fromkeys(COUNTERS, number)
    return [
        {
            "chain_id": 1,
            "address": ADDRESS,
            "network_id": ID,
            "name": name,
            "operator": ADDRESS,
            "model_id": ID,
            "day": "2026-11-30",
            "burned": number * 10**18,
            "agrees": True,
            **counted,
        }
        for name in NAMES
    ]


@pytest.mark.parametrize("number", [0, 7, 9_999_999, 10_000_000, MOST])
def test_tally__any_names_and_numbers__fits(number: int) -> None:
    found = rows(number)

    lines, left_out = tally_brief(found).lines(found)

    assert max(map(cell_len, lines)) <= WIDTH
    assert len(lines) == 1 + len(NAMES)
    assert all(line.isprintable() for line in lines)
    assert "verified" in lines[0] and "agrees" in lines[0]
    shown = lines[0].split()
    assert number == 0 or {*shown, *left_out} >= {*COUNTERS}
    assert not {*shown} & {*left_out}


@pytest.mark.parametrize("by", [(), ("operator",), ("operator", "model", "day")])
@pytest.mark.parametrize("number", [7, MOST])
def test_totals__any_split__fits_and_says_what_it_leaves_out(
    number: int, by: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    found = rows(number)

    totals_brief(Networks(), found, by).show(found)

    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert max(map(cell_len, lines)) <= WIDTH
    assert all(one in lines[0] for one in (*by, "committed", "verified"))
    missing = [one for one in COUNTERS if one not in lines[0]]
    assert all(one in err for one in missing)
    assert bool(missing) <= ("--wide has all" in err)


@pytest.mark.parametrize("number", [1, MOST])
@pytest.mark.parametrize("state", ["open", "finalizable", "disputed", "due", "rejected"])
def test_batches__longest__fit_with_ids_in_full(number: int, state: str) -> None:
    found = [{"batch_id": ID, "state": state, "count": number, "closes_in": 2**32 - 1}]

    lines, left_out = BRIEF.lines(found)

    assert max(map(cell_len, lines)) <= WIDTH
    assert left_out == []
    assert "0x" + "ab" * 32 in lines[1]


def test_tally__small_numbers__are_exact_and_zero_columns_go() -> None:
    (row,) = [{**rows(0)[1], "committed": 1_645_934, "audited": 12, "verified": 12, "open": 3}]

    (head, line), _ = tally_brief([row]).lines([row])

    assert head.split() == [
        *("network", "committed", "unchallenged", "audited", "rejected", "open", "verified"),
        "agrees",
    ]
    assert line.split() == ["Agora", "1,645,934", "0", "12", "0", "3", "12", "yes"]


def test_colour__terminal__is_there_and_no_wider() -> None:
    found = rows(7)[:2]
    plain, _ = tally_brief(found).lines(found)

    coloured, _ = tally_brief(found).lines(found, colour=True)

    assert all("\x1b[" in line for line in coloured)
    assert not any("\x1b" in line for line in plain)


@pytest.mark.parametrize(
    ("terminal", "no_color", "expected"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_coloured__terminal_and_wish__decide(
    terminal: bool, no_color: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brief.sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("NO_COLOR", no_color)

    assert brief.coloured() is expected


def test_show__no_rows__says_none(capsys: pytest.CaptureFixture[str]) -> None:
    BRIEF.show([])

    assert capsys.readouterr() == ("", "none\n")


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (4 * 10**15, "0.004 ETH"),
        (999_999_999_999_999_999, "0.999 ETH"),
        (10**18, "1 ETH"),
        (1_500 * 10**18, "1,500 ETH"),
        (1_000 * 10**9, "0.000001 ETH"),
        (2_500_000_000, "2.5 gwei"),
        (2**96, "79.2 G ETH"),
    ],
)
def test_amount__native__is_never_more_than_it_is(units: int, expected: str) -> None:
    assert amount(units) == expected


def test_human__largest__stay_short() -> None:
    assert count(2**256 - 1).endswith(" T")
    assert len(count(MOST)) == 7
    assert duration(2**32 - 1) == "49,710 d 6 h"
    assert duration(86_400 * 2) == "2 d"
