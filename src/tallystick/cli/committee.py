"""tallystick committee: a committee's members, draws, and signatures on audits and rulings."""

from pathlib import Path

import click

from tallystick.cli.chain import chain_options, signing_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.params import ADDRESS, FILE
from tallystick.cli.session import Session
from tallystick.cli.targets import store_option

OUT = click.Path(dir_okay=False, path_type=Path)

committee_argument = click.argument("committee", type=ADDRESS)
recomputed_option = click.option(
    "--recomputed",
    type=FILE,
    required=True,
    help='Your own run: JSON Lines of {"leaf": 3, "output": "0x07"}.',
)
out_option = click.option("--out", type=OUT, required=True, help="File to write.")


@click.group(cls=ConsoleGroup, example="tallystick committee show $COMMITTEE --rpc $RPC")
def committee() -> None:
    """A committee: its members and draws, their signatures on audits and rulings.

    An audit, by each member: `committee draw` tells which leaves to run, `committee audit` compares
    and signs. Then, by anyone: `committee merge` makes evidence, and `ape tallystick attest --grade
    audited` sends it.
    """


@committee.command(cls=ConsoleCommand, example="tallystick committee show $COMMITTEE --rpc $RPC")
@committee_argument
@chain_options
def show(session: Session, committee: bytes) -> None:
    """Show the members of COMMITTEE, their stake, and whose signature counts."""
    from tallystick.cli.committees import members

    session.show(members(session, committee))


@committee.command(
    cls=ConsoleCommand, example="tallystick committee draw $COMMITTEE $BATCH --rpc $RPC --json"
)
@committee_argument
@click.argument("batch")
@store_option
@chain_options
def draw(session: Session, committee: bytes, batch: str, store: str) -> None:
    """Show which leaves of BATCH an audit has to run, with their inputs."""
    from tallystick.cli.committees import draw_lines

    session.show(draw_lines(session, committee, batch, store))


@committee.command(
    cls=ConsoleCommand,
    example="tallystick committee audit $COMMITTEE $BATCH --recomputed recomputed.jsonl "
    "--out audit.json --account member.json --rpc $RPC",
)
@committee_argument
@click.argument("batch")
@store_option
@recomputed_option
@out_option
@signing_options
def audit(
    session: Session, committee: bytes, batch: str, store: str, recomputed: Path, out: Path
) -> None:
    """Check BATCH, compare its drawn leaves with your run, and sign when all is good."""
    from tallystick.cli.committees import sign_audit

    sign_audit(session, committee, batch, store, recomputed, out)


@committee.command(
    cls=ConsoleCommand,
    example="tallystick committee verdict $COMMITTEE $BATCH --recomputed recomputed.jsonl "
    "--out verdict.json --account member.json --rpc $RPC",
)
@committee_argument
@click.argument("batch")
@store_option
@recomputed_option
@out_option
@signing_options
def verdict(
    session: Session, committee: bytes, batch: str, store: str, recomputed: Path, out: Path
) -> None:
    """Compare the challenged leaf of BATCH with your run, and sign the ruling."""
    from tallystick.cli.committees import sign_verdict

    sign_verdict(session, committee, batch, store, recomputed, out)


@committee.command(
    cls=ConsoleCommand,
    example="tallystick committee merge audit.json --out evidence.hex --rpc $RPC",
)
@click.argument("statements", type=FILE, nargs=-1, required=True)
@out_option
@chain_options
def merge(session: Session, statements: tuple[Path, ...], out: Path) -> None:
    """Join the signatures of STATEMENTS, all of one audit or ruling, into evidence."""
    from tallystick.cli.committees import merge as join

    join(session, statements, out)
