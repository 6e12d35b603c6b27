"""Deploy the core, or a committee, to the same address on each chain."""

from pathlib import Path

import click

from tallystick.cli import ChainCommand, Session, sending_options


@click.command(cls=ChainCommand)
@click.option(
    "--committee",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file of a committee to deploy, for the core that is deployed.",
)
@sending_options
def cli(session: Session, committee: Path | None) -> None:
    """Deploy the core, or a committee; does nothing when it is there already."""
    from tallystick.chain.deploy import creation_code
    from tallystick.cli.committee_file import read_committee
    from tallystick.cli.deploying import deploy_recorded

    if committee is None:
        deploy_recorded(session, "Tallystick", creation_code("Tallystick"))
        return
    terms, members = read_committee(committee)
    code = creation_code("Committee", session.registry.address, terms, members)
    deploy_recorded(session, "Committee", code)
