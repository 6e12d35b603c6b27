"""tallystick pool: what a share of a pool's seats gets."""

from dataclasses import asdict

import click

from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.output import show
from tallystick.protocol.pool_odds import Odds, Turnout, capture, stake_at_risk

SHARES = (0.1, 0.2, 0.33, 0.4)


@click.group(cls=ConsoleGroup, example="tallystick pool odds --panel 15 --turnout 0.8")
def pool() -> None:
    """A pool of auditors, whom the chain draws: what its terms are worth."""


@pool.command(cls=ConsoleCommand, example="tallystick pool odds --panel 15 --turnout 0.8 --json")
@click.option(
    "--panel", type=int, default=15, show_default=True, help="Places of an audit's panel, n: odd."
)
@click.option(
    "--share",
    "shares",
    type=click.FloatRange(0, 1),
    multiple=True,
    default=SHARES,
    show_default=True,
    help="Of all seats, in one hand; give it again for more.",
)
@click.option(
    "--turnout",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    help="Part of the places whose members sign.",
)
@click.option("--seats", type=click.IntRange(min=1), help="Of the list, for the price of capture.")
@click.option(
    "--seat-stake", type=click.IntRange(min=1), help="Units of the asset, for what a fake costs."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def odds(
    panel: int,
    shares: tuple[float, ...],
    turnout: float,
    seats: int | None,
    seat_stake: int | None,
    as_json: bool,
) -> None:
    """Show how far a share of the seats gets, how often audits complete, and what a fake costs.

    All are probabilities of one panel; commits is how many batches a holder has to commit, on
    average, until a panel is its own. A fake's price is the stake of the places that sign it, where
    each is another seat's, less the finder's part; the batch's slash comes on top.
    """
    rows = [{**asdict(one), "commits": one.commits} for one in (Odds.of(panel, p) for p in shares)]
    facts = {"turnout": turnout, **asdict(Turnout.of(panel, turnout))}
    if seat_stake is not None:
        facts["stake_burned"] = stake_at_risk(panel, seat_stake)
        if seats is not None:
            facts["capture"] = capture(seats, seat_stake)
    if as_json:
        show({"panel": panel, "shares": rows, **facts}, as_json)
        return
    show([{name: _short(value) for name, value in row.items()} for row in rows], as_json)
    show({name: _short(value) for name, value in facts.items()}, as_json)


def _short(value: float | None) -> str:
    return "never" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
