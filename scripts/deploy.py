"""Deploy the core, or a resolver, to the same address on each chain."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, Session, sending_options

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=ChainCommand)
@click.option(
    "--committee",
    type=FILE,
    help="YAML file (threshold, min_drawn, ..., arbiter, members) of a committee, for the core.",
)
@click.option(
    "--enclave", type=FILE, help="YAML file (endorsers, threshold) of an attestor of enclave keys."
)
@click.option(
    "--opengradient-item",
    type=FILE,
    help="YAML file (endorsers, threshold, max_age) of an attestor of OpenGradient's items.",
)
@click.option("--replay", is_flag=True, help="The arbiter that runs QI8-1 models again.")
@sending_options
def cli(
    session: Session,
    committee: Path | None,
    enclave: Path | None,
    opengradient_item: Path | None,
    replay: bool,
) -> None:
    """Deploy the core, or the resolver that an option names; does nothing when it is there."""
    from tallystick.chain.deploy import creation_code
    from tallystick.cli.committee_file import read_committee
    from tallystick.cli.deploying import deploy_recorded
    from tallystick.cli.endorsers_file import read_endorsers

    wanted = [committee, enclave, opengradient_item, replay or None]
    if sum(one is not None for one in wanted) > 1:
        raise click.UsageError("one contract at a time")
    name, args = "Tallystick", []
    if committee is not None:
        name, args = "Committee", [session.registry.address, *read_committee(committee)]
    elif enclave is not None:
        name, args = "Enclave", [*read_endorsers(enclave)]
    elif opengradient_item is not None:
        name, args = "OpenGradientItem", [*read_endorsers(opengradient_item, aged=True)]
    elif replay:
        name = "Replay"
    deploy_recorded(session, name, creation_code(name, *args))
