"""ape tallystick zk: register models whose answers are proven, and commit proven answers."""

from pathlib import Path

import click

from tallystick.ape.options import sending_options
from tallystick.cli.command import CommandError, ConsoleCommand, ConsoleGroup
from tallystick.cli.params import BYTES32, FILE
from tallystick.cli.session import Session
from tallystick.cli.targets import receipts_option, store_option
from tallystick.cli.zk import MODEL, proofs_option

EXAMPLE = "ape tallystick zk submit digits.zk proven.jsonl --network-id $NETWORK --model-id $MODEL"


@click.group("zk", cls=ConsoleGroup, example=EXAMPLE)
def cli() -> None:
    """Register models whose answers are proven, and commit proven answers."""


@cli.command(
    cls=ConsoleCommand, example="ape tallystick zk register $NETWORK digits.zk --name digits"
)
@click.argument("network_id", type=BYTES32)
@click.argument("model", type=MODEL)
@click.option("--name", required=True, help="What people call it; event data only.")
@click.option("--uri", default="", help="Where it can be had; event data only.")
@click.option("--parent", type=BYTES32, default=bytes(32), help="Id of the version before.")
@click.option(
    "--local-setup",
    is_flag=True,
    help="Take a setup that was made on one machine also where it is no test network.",
)
@sending_options
def register(
    session: Session,
    network_id: bytes,
    model: Path,
    name: str,
    uri: str,
    parent: bytes,
    local_setup: bool,
) -> None:
    """Deploy the verifier of MODEL, and register it in a network.

    Says which share of the samples the circuit answered as the model it was made of. A setup that
    is no public ceremony's is refused on other chains than known test networks.
    """
    from tallystick.chain.deploy import create2_address, deploy
    from tallystick.protocol.proof import SPEC_ID, ProofModel
    from tallystick.protocol.scope import Scope
    from tallystick.zk.model import ZkModel
    from tallystick.zk.srs import LOCAL_CAUTION, TEST_CHAINS

    loaded = ZkModel.load(model)
    chain_id = session.registry.domain.chain_id
    if not loaded.public_setup:
        if chain_id not in TEST_CHAINS and not local_setup:
            raise CommandError(
                f"{LOCAL_CAUTION}; chain {chain_id} is none that is known here; needed: a public "
                "ceremony's file (zk setup --srs), or --local-setup"
            )
        click.echo(f"caution: {LOCAL_CAUTION}", err=True)
    verifier = create2_address(loaded.creation)
    registrant = session.sender.address
    key = ProofModel(network_id, registrant, loaded.circuit, verifier, parent).id()
    told = {**loaded.told(), "verifier": verifier}
    if not session.dry_run:
        deploy(session.w3, session.sender, loaded.creation)
    if key in session.ledger(scope=Scope.directory(network_id)).models:
        session.show({"move": "none: registered already", "model_id": key, **told})
        return
    hashes = loaded.circuit.content_hash(), SPEC_ID
    call = session.registry.call("registerModel", network_id, *hashes, parent, name, uri)
    session.perform(call, model_id=key, **told)


@cli.command(cls=ConsoleCommand, example=EXAMPLE)
@click.argument("model", type=MODEL)
@click.argument("records", type=FILE)
@click.option("--network-id", type=BYTES32, required=True, help="Network to commit in.")
@click.option("--model-id", type=BYTES32, required=True, help="Model that answered.")
@proofs_option
@store_option
@receipts_option
@sending_options
def submit(
    session: Session,
    model: Path,
    records: Path,
    network_id: bytes,
    model_id: bytes,
    proofs: Path,
    store: str,
    receipts: Path,
) -> None:
    """Commit RECORDS as one batch, graded Proven in the same transaction by a proof of each.

    Their proofs are those of `zk prove`. Run again after any crash: the batch goes once.
    """
    from tallystick.ape.zk import submit_proven
    from tallystick.zk.model import ZkModel
    from tallystick.zk.proofs import ProofFolder

    loaded = ZkModel.load(model)
    kept = ProofFolder(proofs, loaded)
    submit_proven(
        session,
        loaded.circuit,
        loaded.creation,
        kept.get,
        records,
        network_id,
        model_id,
        store,
        receipts,
    )
