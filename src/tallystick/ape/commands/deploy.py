"""ape tallystick deploy: deploy the registry, or a resolver, to the same address on each chain."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.params import FILE
from tallystick.cli.session import Session


@click.command(cls=ConsoleCommand, example="ape tallystick deploy")
@click.option(
    "--committee",
    type=FILE,
    help="YAML file (threshold, min_drawn, ..., arbiter, members) of a committee.",
)
@click.option(
    "--enclave", type=FILE, help="YAML file (endorsers, threshold) of an attestor of enclave keys."
)
@click.option(
    "--enclave-http",
    type=FILE,
    help="YAML file (endorsers, threshold, named) of an attestor of HTTP answers that enclaves "
    "signed.",
)
@click.option(
    "--opengradient-item",
    type=FILE,
    help="YAML file (endorsers, threshold, max_age) of an attestor of OpenGradient's items.",
)
@click.option(
    "--pool", type=FILE, help="YAML file (spec, seat_stake, panel, ...) of a pool of auditors."
)
@click.option("--proof", is_flag=True, help="The attestor of batches whose leaves have zk proofs.")
@click.option("--replay", is_flag=True, help="The arbiter that runs QI8-1 models again.")
@click.option(
    "--check",
    is_flag=True,
    help="Send nothing: compile the packaged sources and compare them with what is on chain.",
)
@sending_options
def cli(
    session: Session,
    committee: Path | None,
    enclave: Path | None,
    enclave_http: Path | None,
    opengradient_item: Path | None,
    pool: Path | None,
    proof: bool,
    replay: bool,
    check: bool,
) -> None:
    """Deploy the registry, or the resolver that an option names; does nothing when it is there."""
    from tallystick.actions.pool.deployment import need_deployable
    from tallystick.ape.committee_file import read_committee
    from tallystick.ape.deployment import check_deployed, deploy_recorded
    from tallystick.ape.endorsers_file import read_endorsers
    from tallystick.ape.pool_file import read_pool
    from tallystick.chain.deploy import creation_code

    wanted = [committee, enclave, enclave_http, opengradient_item, pool, proof or None]
    wanted.append(replay or None)
    if sum(one is not None for one in wanted) > 1:
        raise click.UsageError("one contract at a time")
    name, args = "Tallystick", []
    if committee is not None:
        name, args = "Committee", [session.registry.address, *read_committee(committee)]
    elif enclave is not None:
        name, args = "Enclave", [*read_endorsers(enclave)]
    elif enclave_http is not None:
        name, args = "EnclaveHttp", [*read_endorsers(enclave_http, "named")]
    elif opengradient_item is not None:
        name, args = "OpenGradientItem", [*read_endorsers(opengradient_item, "max_age")]
    elif pool is not None:
        terms = read_pool(pool)
        need_deployable(session.w3, terms)
        name, args = "Pool", [session.registry.address, terms.abi()]
    elif proof:
        name = "Proof"
    elif replay:
        name = "Replay"
    then = check_deployed if check else deploy_recorded
    then(session, name, creation_code(name, *args))
