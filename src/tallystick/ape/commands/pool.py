"""ape tallystick pool: money and seats, escrows, audits, cases and convictions in a pool."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand, ConsoleGroup
from tallystick.cli.params import ADDRESS, AMOUNT, BYTES32, FILE
from tallystick.cli.pool import (
    cases,
    draw,
    members,
    odds,
    panel,
    pool_argument,
    show,
    sign,
    statements_argument,
    template,
)
from tallystick.cli.session import Session
from tallystick.cli.targets import leaf_option, store_option

key_option = click.option("--key", type=ADDRESS, help="The key; else the sender.")


@click.group(cls=ConsoleGroup, example="ape tallystick pool enroll $POOL 10")
def cli() -> None:
    """A pool of auditors, whom the chain draws: seats, escrows, audits, cases, convictions.

    A key: `deposit`, then `enroll` each epoch. An operator: `deposit`, then `fund`. An audit, by
    each key on the panel: `draw` tells which leaves to run, `sign` compares and signs; then, by
    anyone, `audit` sends what enough places signed. A case: `appeal`, then `draw` and `sign` with
    --leaf, and `ruled`.
    """


@cli.command(cls=ConsoleCommand, example="ape tallystick pool deposit $POOL '1 ether'")
@pool_argument
@click.argument("amount", type=AMOUNT)
@click.option("--to", type=ADDRESS, help="Whose credit; else the sender's.")
@sending_options
def deposit(session: Session, pool: bytes, amount: int, to: bytes | None) -> None:
    """Add AMOUNT (units of the asset, or such as '1 ether') to a credit in POOL.

    A key pays its seats from its own credit, an operator its escrow, an appellant the case.
    """
    from tallystick.ape.pools import deposit as add

    add(session, pool, amount, to)


@cli.command(cls=ConsoleCommand, example="ape tallystick pool withdraw $POOL '1 ether'")
@pool_argument
@click.argument("amount", type=AMOUNT)
@sending_options
def withdraw(session: Session, pool: bytes, amount: int) -> None:
    """Pay AMOUNT of the sender's credit in POOL out to it."""
    from tallystick.actions.pool.money import withdraw as action
    from tallystick.ape.pools import do

    do(session, pool, lambda view: action(view, amount))


@cli.command(cls=ConsoleCommand, example="ape tallystick pool enroll $POOL 10 --to $ACCOUNT")
@pool_argument
@click.argument("seats", type=click.IntRange(0), default=0)
@click.option(
    "--to",
    type=ADDRESS,
    help="Account where stake and fees go, fixed the first time; else the key itself.",
)
@sending_options
def enroll(session: Session, pool: bytes, seats: int, to: bytes | None) -> None:
    """Put all seats of the sending key into the next epoch's list of POOL, and buy SEATS more.

    Once an epoch: who does not come again sits in no further list, and its stake can leave later.
    """
    from tallystick.actions.pool.seats import enroll as action
    from tallystick.ape.pools import do

    do(session, pool, lambda view: action(view, seats, to))


@cli.command(cls=ConsoleCommand, example="ape tallystick pool close $POOL --key $KEY")
@pool_argument
@key_option
@sending_options
def close(session: Session, pool: bytes, key: bytes | None) -> None:
    """Bar a key of the sender's from enrolling in POOL again, for good."""
    from tallystick.actions.pool.seats import close as action
    from tallystick.ape.pools import do

    do(session, pool, lambda view: action(view, key or view.sender))


@cli.command(cls=ConsoleCommand, example="ape tallystick pool leave $POOL --key $KEY")
@pool_argument
@key_option
@sending_options
def leave(session: Session, pool: bytes, key: bytes | None) -> None:
    """Move stake and fees of a key of the sender's to its credit, once nothing holds them.

    That is exitDelay after the end of the last epoch that it sat in, and after any case's hold.
    """
    from tallystick.actions.pool.seats import leave as action
    from tallystick.ape.pools import do

    do(session, pool, lambda view: action(view, key or view.sender))


@cli.command(cls=ConsoleCommand, example="ape tallystick pool collect $POOL --key $KEY")
@pool_argument
@key_option
@sending_options
def collect(session: Session, pool: bytes, key: bytes | None) -> None:
    """Move what a key has earned to its account's credit in POOL. By anyone."""
    from tallystick.actions.pool.seats import collect as action
    from tallystick.ape.pools import do

    do(session, pool, lambda view: action(view, key or view.sender))


@cli.command(cls=ConsoleCommand, example="ape tallystick pool fund $POOL '1 ether'")
@pool_argument
@click.argument("amount", type=AMOUNT)
@sending_options
def fund(session: Session, pool: bytes, amount: int) -> None:
    """Move AMOUNT of the sender's credit into its escrow, which pays the auditors of its batches.

    Withdraws a notice that was given.
    """
    from tallystick.actions.pool.money import fund as action
    from tallystick.ape.pools import do

    do(session, pool, lambda view: action(view, amount))


@cli.command(cls=ConsoleCommand, example="ape tallystick pool notice $POOL")
@pool_argument
@sending_options
def notice(session: Session, pool: bytes) -> None:
    """Give notice of the sender's escrow in POOL: it can leave an epoch later."""
    from tallystick.actions.pool.money import notice as action
    from tallystick.ape.pools import do

    do(session, pool, action)


@cli.command(cls=ConsoleCommand, example="ape tallystick pool defund $POOL")
@pool_argument
@sending_options
def defund(session: Session, pool: bytes) -> None:
    """Move the sender's whole escrow back to its credit, an epoch after its notice."""
    from tallystick.actions.pool.money import defund as action
    from tallystick.ape.pools import do

    do(session, pool, action)


@cli.command(cls=ConsoleCommand, example="ape tallystick pool audit one.json two.json")
@statements_argument
@sending_options
def audit(session: Session, statements: tuple[Path, ...]) -> None:
    """Store the audit that STATEMENTS hold, all of one batch, signed by enough of its panel.

    The operator's escrow pays each place that signed, and the sender once. All signatures that
    there are belong in: a place that is left out goes unpaid.
    """
    from tallystick.ape.pools import audit as store

    store(session, statements)


@cli.command(cls=ConsoleCommand, example="ape tallystick pool appeal $POOL $BATCH --leaf 5")
@pool_argument
@click.argument("batch")
@leaf_option
@store_option
@sending_options
def appeal(session: Session, pool: bytes, batch: str, leaf: int | None, store: str) -> None:
    """Open a case on a leaf of BATCH (an id, or a receipts file); your credit in POOL pays it.

    On a leaf that is challenged; or that the audit on record drew; or while another dispute keeps
    the batch from being challenged.
    """
    from tallystick.ape.pools import appeal as ask

    ask(session, pool, batch, leaf, store)


@cli.command(cls=ConsoleCommand, example="ape tallystick pool ruled one.json two.json")
@statements_argument
@click.option("--receipt", type=FILE, help="Receipts file of the leaf; else the store is asked.")
@store_option
@sending_options
def ruled(session: Session, statements: tuple[Path, ...], receipt: Path | None, store: str) -> None:
    """Close a case by the ruling that STATEMENTS hold, signed by enough of its panel.

    Ends the challenge, or disproves the leaf, in the registry; where a drawn leaf is rejected, who
    signed the audit loses its stake.
    """
    from tallystick.ape.pools import ruled as close_case

    close_case(session, statements, receipt, store)


@cli.command(cls=ConsoleCommand, example="ape tallystick pool convict $POOL $BATCH")
@pool_argument
@click.argument("batch")
@sending_options
def convict(session: Session, pool: bytes, batch: str) -> None:
    """Burn the stake of who signed the audit of BATCH, which the registry has rejected.

    For leaves out of order or a deadline; for a ruling or a disproof where the audit drew the leaf.
    The sender gets 1/16 of it.
    """
    from tallystick.ape.pools import convict as burn

    burn(session, pool, batch)


@cli.command(cls=ConsoleCommand, example="ape tallystick pool expire $POOL $CASE")
@pool_argument
@click.argument("case", type=BYTES32)
@sending_options
def expire(session: Session, pool: bytes, case: bytes) -> None:
    """End CASE, on which nobody ruled while its seed could be had; the payer gets the fee back."""
    from tallystick.actions.pool.cases import expire as action
    from tallystick.ape.pools import do

    do(session, pool, lambda view: action(view, case))


@cli.command(cls=ConsoleCommand, example="ape tallystick pool sweep $POOL")
@pool_argument
@sending_options
def sweep(session: Session, pool: bytes) -> None:
    """Send the burned stake of POOL to 0x...dEaD."""
    from tallystick.ape.pools import sweep as send

    send(session, pool)


for command in (show, members, draw, panel, cases, sign, template, odds):
    cli.add_command(command)
