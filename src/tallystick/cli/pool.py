"""tallystick pool: a pool's seats, draws and cases, what its keys sign, what terms are worth."""

from dataclasses import asdict
from pathlib import Path

import click

from tallystick.cli import output
from tallystick.cli.chain import chain_options, signing_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.committee import out_option, recomputed_option
from tallystick.cli.network import read_template
from tallystick.cli.params import ADDRESS, FILE
from tallystick.cli.session import Session
from tallystick.cli.targets import store_option
from tallystick.protocol.pool_odds import Odds, Turnout, capture, stake_at_risk

SHARES = (0.1, 0.2, 0.33, 0.4)

pool_argument = click.argument("pool", type=ADDRESS)
statements_argument = click.argument("statements", type=FILE, nargs=-1, required=True)
case_option = click.option(
    "--leaf", type=click.IntRange(0), help="Of the case on this leaf; else of the batch's audit."
)


@click.group(cls=ConsoleGroup, example="tallystick pool show $POOL --rpc $RPC")
def pool() -> None:
    """A pool of auditors, whom the chain draws: its seats, audits and cases.

    An audit, by each key on the panel: `pool draw` tells which leaves to run, `pool sign` compares
    and signs. Then, by anyone: `ape tallystick pool audit` sends what enough places signed. A case
    goes the same way, with --leaf, and `ape tallystick pool ruled`.
    """


@pool.command(cls=ConsoleCommand, example="tallystick pool template > pool.yaml")
def template() -> None:
    """Print a commented YAML file for `ape tallystick deploy --pool`."""
    click.echo(read_template("pool"), nl=False)


@pool.command(cls=ConsoleCommand, example="tallystick pool show $POOL --of $KEY --rpc $RPC")
@pool_argument
@click.option(
    "--of",
    "whose",
    type=ADDRESS,
    help="Only what a key, account or operator has: credit, stake, fees, escrow.",
)
@chain_options
def show(session: Session, pool: bytes, whose: bytes | None) -> None:
    """Show the terms of POOL, and how many seats its lists have now and next."""
    from tallystick.cli.pools import described, standing

    if whose is None:
        session.show(described(session, pool))
    else:
        session.show(standing(session, pool, whose))


@pool.command(cls=ConsoleCommand, example="tallystick pool members $POOL --rpc $RPC")
@pool_argument
@click.option("--next", "ahead", is_flag=True, help="In the next epoch's list; else in this one's.")
@chain_options
def members(session: Session, pool: bytes, ahead: bool) -> None:
    """Show the keys in the list of POOL, their seats, and what they have earned."""
    from tallystick.cli.pools import members as rows

    session.show(rows(session, pool, ahead))


@pool.command(cls=ConsoleCommand, example="tallystick pool draw $POOL $BATCH --rpc $RPC --json")
@pool_argument
@click.argument("batch")
@case_option
@store_option
@chain_options
def draw(session: Session, pool: bytes, batch: str, leaf: int | None, store: str) -> None:
    """Show which leaves of BATCH an audit, or a case, has to run, with their inputs."""
    from tallystick.cli.pools import draw_lines

    session.show(draw_lines(session, pool, batch, leaf, store))


@pool.command(cls=ConsoleCommand, example="tallystick pool panel $POOL $BATCH --rpc $RPC")
@pool_argument
@click.argument("batch")
@case_option
@chain_options
def panel(session: Session, pool: bytes, batch: str, leaf: int | None) -> None:
    """Show the keys that were drawn to audit BATCH, or to rule in a case, and their places."""
    from tallystick.cli.pools import panel_lines

    session.show(panel_lines(session, pool, batch, leaf))


@pool.command(cls=ConsoleCommand, example="tallystick pool cases $POOL $BATCH --rpc $RPC")
@pool_argument
@click.argument("batch")
@chain_options
def cases(session: Session, pool: bytes, batch: str) -> None:
    """Show the open cases on leaves of BATCH, and the block that seeds each one's panel."""
    from tallystick.cli.pools import case_lines

    session.show(case_lines(session, pool, batch))


@pool.command(
    cls=ConsoleCommand,
    example="tallystick pool sign $POOL $BATCH --recomputed recomputed.jsonl --out audit.json "
    "--account key.json --rpc $RPC",
)
@pool_argument
@click.argument("batch")
@case_option
@store_option
@recomputed_option
@out_option
@signing_options
def sign(
    session: Session,
    pool: bytes,
    batch: str,
    leaf: int | None,
    store: str,
    recomputed: Path,
    out: Path,
) -> None:
    """Compare BATCH with your run, and sign as a key of its panel.

    An audit is signed only if all is good. In a case, with --leaf, the ruling is upheld where your
    output is the leaf's, and rejected where it is not.

    Outputs are compared byte by byte: a model whose spec has a tolerance is a node's work
    (docs/node.md).
    """
    from tallystick.cli.pools import sign as compare

    compare(session, pool, batch, leaf, store, recomputed, out)


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
        output.show({"panel": panel, "shares": rows, **facts}, as_json)
        return
    output.show([{name: _short(value) for name, value in row.items()} for row in rows], as_json)
    output.show({name: _short(value) for name, value in facts.items()}, as_json)


def _short(value: float | None) -> str:
    return "never" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
