"""A committee: its members and stake, their signatures on audits and rulings, convictions."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, Session, chain_options, sending_options
from tallystick.cli.moving import Evidence, leaf_option, store_option
from tallystick.params import ADDRESS

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)

committee_argument = click.argument("committee", type=ADDRESS)
member_option = click.option(
    "--member", type=click.IntRange(0, 15), help="Place of the member; else the account's."
)
recomputed_option = click.option(
    "--recomputed",
    type=FILE,
    required=True,
    help='Your own run: JSON Lines of {"leaf": 3, "output": "0x07"}.',
)
out_option = click.option("--out", type=OUT, required=True, help="File to write.")


@click.group()
def cli() -> None:
    """A committee: its members and stake, their signatures, convictions.

    An audit, by each member: `committee draw` tells which leaves to run, `committee audit` compares
    and signs. Then, by anyone: `committee merge` makes evidence, `attest --grade audited` sends it.
    """


@cli.command(cls=ChainCommand)
@committee_argument
@chain_options
def show(session: Session, committee: bytes) -> None:
    """Show the members of COMMITTEE, their stake, and whose signature counts."""
    from tallystick.cli.paneling import seats

    session.show(seats(session, committee))


@cli.command(cls=ChainCommand)
@committee_argument
@click.argument("amount", type=click.IntRange(1, 2**128 - 1))
@member_option
@sending_options
def stake(session: Session, committee: bytes, amount: int, member: int | None) -> None:
    """Add AMOUNT (units of the asset) to a member's stake in COMMITTEE."""
    from tallystick.cli.paneling import stake as add

    add(session, committee, member, amount)


@cli.command(name="exit", cls=ChainCommand)
@committee_argument
@member_option
@sending_options
def leave(session: Session, committee: bytes, member: int | None) -> None:
    """Stop counting in COMMITTEE; the stake can be paid out when its exit delay is over."""
    from tallystick.cli.paneling import leave

    leave(session, committee, member, "requestExit")


@cli.command(name="pay-out", cls=ChainCommand)
@committee_argument
@member_option
@sending_options
def pay_out(session: Session, committee: bytes, member: int | None) -> None:
    """Pay a leaving member's stake to its account."""
    from tallystick.cli.paneling import leave

    leave(session, committee, member, "payOut")


@cli.command(cls=ChainCommand)
@committee_argument
@click.argument("batch")
@store_option
@chain_options
def draw(session: Session, committee: bytes, batch: str, store: str) -> None:
    """Show which leaves of BATCH an audit has to run, with their inputs."""
    from tallystick.cli.paneling import draw_lines

    session.show(draw_lines(session, committee, batch, store))


@cli.command(cls=ChainCommand)
@committee_argument
@click.argument("batch")
@store_option
@recomputed_option
@out_option
@sending_options
def audit(
    session: Session,
    committee: bytes,
    batch: str,
    store: str,
    recomputed: Path,
    out: Path,
) -> None:
    """Check BATCH, compare its drawn leaves with your run, and sign when all is good."""
    from tallystick.cli.paneling import sign_audit

    sign_audit(session, committee, batch, store, recomputed, out)


@cli.command(cls=ChainCommand)
@committee_argument
@click.argument("batch")
@store_option
@recomputed_option
@out_option
@sending_options
def verdict(
    session: Session, committee: bytes, batch: str, store: str, recomputed: Path, out: Path
) -> None:
    """Compare the challenged leaf of BATCH with your run, and sign the ruling."""
    from tallystick.cli.paneling import sign_verdict

    sign_verdict(session, committee, batch, store, recomputed, out)


@cli.command(cls=ChainCommand)
@click.argument("statements", type=FILE, nargs=-1, required=True)
@out_option
@chain_options
def merge(session: Session, statements: tuple[Path, ...], out: Path) -> None:
    """Join the signatures of STATEMENTS, all of one audit or ruling, into evidence."""
    from tallystick.cli.paneling import merge as join

    join(session, statements, out)


@cli.command(cls=ChainCommand)
@click.argument("statement", type=FILE)
@leaf_option
@store_option
@click.option(
    "--model", type=FILE, help="The batch's QI8-1 model, for a proof that a drawn leaf is wrong."
)
@click.option("--evidence", type=Evidence(), help="Or evidence in the arbiter's own encoding.")
@sending_options
def convict(
    session: Session,
    statement: Path,
    leaf: int | None,
    store: str,
    model: Path | None,
    evidence: bytes | None,
) -> None:
    """Burn the stake of the signers of STATEMENT, an audit that turned out wrong.

    Needs nothing more where the core has archived what convicts them: a ruling or disproof of a
    drawn leaf, an order fault, a deadline fault of the same commit. Else the committee's arbiter
    is asked, by evidence that a drawn leaf is wrong, whatever became of the batch.
    """
    from tallystick.cli.paneling import convict as burn

    burn(session, statement, leaf, store, model, evidence)


@cli.command(cls=ChainCommand)
@committee_argument
@sending_options
def sweep(session: Session, committee: bytes) -> None:
    """Send the burned stake of COMMITTEE to 0x...dEaD."""
    from tallystick.cli.paneling import sweep as send

    send(session, committee)
