"""A year of 1,000 networks and 10,000 members, beside the odds of a pool's panels.

`make sim-pool`; JSON=1 for objects, SVG= for where the picture goes. Seeds are fixed: every run
prints the same.
"""

import json
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tallystick.protocol.pool_odds import Odds
from tests.sim.chart import Series, chart
from tests.sim.year import (
    AUDITED,
    CAPTURED,
    GROUND,
    LUCKY,
    REJECTED,
    UPHELD,
    World,
    Year,
    simulate,
)

PANELS = 9, 15
SHARES = 0.1, 0.2, 0.33, 0.4
FARTHEST = 5
"""Standard deviations that a rate may be from its formula."""
PICTURE = Path(".cache") / "sim-pool.svg"
HEADS = {
    LUCKY: "k of n",
    UPHELD: "upholds",
    CAPTURED: "rejects",
    GROUND: "builder",
    AUDITED: "audits done",
    REJECTED: "wrong rejected",
}
"""Of a table's columns, by the rate that they show."""
ENDS = (
    *("fakes", "audited", "verified", "rejected", "units a verified one cost"),
    *("honest audits rejected", "without a cheats' majority"),
)


def years() -> list[Year]:
    """Play a year for each panel and share, each with a seed of its own."""
    worlds = [World(panel, share) for panel in PANELS for share in SHARES]
    return [simulate(world, 1 + number) for number, world in enumerate(worlds)]


def rows(year: Year) -> list[dict[str, object]]:
    """Return what came of a year, one object for a rate and one for the rest."""
    of = {"panel": year.world.panel, "share": year.world.share}
    found: list[dict[str, object]] = [
        {
            **of,
            "rate": one.name,
            "tried": one.tried,
            "came": one.came,
            "found": one.found,
            "odds": one.odds,
            "deviations": round(one.off, 2),
        }
        for one in year.rates.values()
    ]
    fakes = {f"fakes {name}": number for name, number in year.fakes.items()}
    honest = {f"honest burned, {name}": number for name, number in year.honest_burned.items()}
    cost = {"units burned": year.burned, "units slashed": year.slashed, "cost": year.cost}
    return [*found, {**of, **fakes, **honest, **cost}]


def picture(played: list[Year]) -> str:
    """Return the odds of a share as lines, and what was found as marks."""
    series = []
    for panel in PANELS:
        for name, part in ((LUCKY, "audits"), (UPHELD, "upholds"), (CAPTURED, "rejects")):
            line = [
                (share / 100, float(getattr(Odds.of(panel, share / 100), part)))
                for share in range(2, 51)
            ]
            marks = [
                (year.world.share, year.rates[name].found)
                for year in played
                if year.world.panel == panel
            ]
            series.append(Series(f"{name}, n = {panel}", line, marks))
    title = "What a share of a pool's seats gets: formula, and a simulated year"
    return chart(title, "share of all seats", series)


def tell(played: list[Year]) -> None:
    """Print tables of all years, or objects."""
    if os.environ.get("JSON") == "1":
        for year in played:
            for row in rows(year):
                print(json.dumps(row))
        return
    rates = Table("n", "share", *HEADS.values(), title="Found, and by the odds")
    ends = Table("n", "share", *ENDS, title="A year of fakes, and of the honest")
    for year in played:
        who = str(year.world.panel), f"{year.world.share:g}"
        found = [f"{year.rates[one].found:.2g} ({year.rates[one].odds:.2g})" for one in HEADS]
        rates.add_row(*who, *found)
        fakes, honest = year.fakes, year.honest_burned
        ends.add_row(
            *who,
            *(f"{fakes[name]:,}" for name in ("committed", "audited", "verified", "rejected")),
            "-" if year.cost is None else f"{year.cost:,.0f}",
            f"{honest['audits']:,}",
            f"{honest['by panels without a majority of cheats']:,}",
        )
    console = Console(width=120)
    console.print(rates)
    console.print(ends)


def main() -> int:
    """Play, print and draw; 1 where a rate is far from its formula, or the honest are burned."""
    played = years()
    tell(played)
    target = Path(os.environ.get("SVG") or PICTURE)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(picture(played))
    print(f"picture: {target}", file=sys.stderr)
    faults = [
        f"n = {year.world.panel}, share {year.world.share:g}: {one.name} came {one.came:,} times; "
        f"odds say {one.expected:,.1f}"
        for year in played
        for one in year.rates.values()
        if one.off > FARTHEST
    ]
    faults += [
        f"n = {year.world.panel}, share {year.world.share:g}: honest members burned by a panel "
        "whose majority was honest"
        for year in played
        if year.honest_burned["by panels without a majority of cheats"]
    ]
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
