"""ape tallystick deploy: deploy the registry, or a resolver, to the same address on each chain."""

from pathlib import Path
from typing import Any

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.params import ADDRESS, FILE
from tallystick.cli.session import Session
from tallystick.cli.targets import GRADES


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
@click.option(
    "--proof-verifier",
    type=ADDRESS,
    metavar="ATTESTOR",
    help="ERC-8274 (draft) over this attestor, of the grade that --grade names.",
)
@click.option("--grade", type=GRADES, help="With --proof-verifier.")
@click.option("--proof", is_flag=True, help="The attestor of batches whose leaves have zk proofs.")
@click.option("--replay", is_flag=True, help="The arbiter that runs QI8-1 models again.")
@click.option(
    "--replay-game",
    is_flag=True,
    help="The arbiter that settles QI8-1T models of any size by a game of four moves.",
)
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
    proof_verifier: bytes | None,
    grade: str | None,
    proof: bool,
    replay: bool,
    replay_game: bool,
    check: bool,
) -> None:
    """Deploy the registry, or the resolver that an option names; does nothing when it is there."""
    from tallystick.actions.pool.deployment import need_deployable
    from tallystick.ape.committee_file import read_committee
    from tallystick.ape.deployment import check_deployed, deploy_recorded
    from tallystick.ape.endorsers_file import read_endorsers
    from tallystick.ape.pool_file import read_pool
    from tallystick.chain.deploy import creation_code
    from tallystick.protocol.enums import Grade

    wanted: list[object] = [
        committee,
        enclave,
        enclave_http,
        opengradient_item,
        pool,
        proof_verifier,
    ]
    if sum(one is not None for one in wanted) + proof + replay + replay_game > 1:
        raise click.UsageError("one contract at a time")
    if (proof_verifier is None) != (grade is None):
        raise click.UsageError("--proof-verifier and --grade go together")
    name = "Tallystick"
    args: list[Any] = []
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
    elif proof_verifier is not None:
        assert grade is not None
        name = "ProofVerifier"
        args = [session.registry.address, proof_verifier, int(Grade[grade.upper()])]
    elif proof:
        name = "Proof"
    elif replay:
        name = "Replay"
    elif replay_game:
        name, args = "ReplayGame", [session.registry.address]
    then = check_deployed if check else deploy_recorded
    then(session, name, creation_code(name, *args))
