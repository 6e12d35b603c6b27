"""The group of the commands that send no transaction."""

import click

from tallystick.cli.command import LazyGroup

READING = {
    "tally": "tallystick.cli.tally:tally",
    "batches": "tallystick.cli.batches:batches",
    "batch": "tallystick.cli.batches:batch",
    "disputes": "tallystick.cli.batches:disputes",
    "receipt": "tallystick.cli.receipt:receipt",
    "replay": "tallystick.cli.replay:replay",
}
"""Commands that read a chain, in both groups, and where they are."""
COMMANDS = {
    "extract": "tallystick.cli.extract:extract",
    "collect": "tallystick.cli.collect:collect",
    "totals": "tallystick.cli.totals:totals",
    "measures": "tallystick.cli.totals:measures",
    "requesters": "tallystick.cli.totals:requesters",
    "utility": "tallystick.cli.utility:utility",
    "reconcile": "tallystick.cli.reconcile:reconcile",
    "probe": "tallystick.cli.probe:probe",
    "serve": "tallystick.cli.serve:serve",
    "export": "tallystick.cli.serve:export",
    "opengradient": "tallystick.cli.opengradient:opengradient",
    "enclave-http": "tallystick.cli.enclave_http:enclave_http",
    "zk": "tallystick.cli.zk:zk",
    "networks": "tallystick.cli.networks:networks",
    "follow": "tallystick.cli.networks:follow",
    "llm": "tallystick.cli.llm:llm",
    "backup": "tallystick.cli.backup:backup",
    "restore": "tallystick.cli.backup:restore",
    **READING,
    "network": "tallystick.cli.network:network",
    "model": "tallystick.cli.model:model",
    "stake": "tallystick.cli.stake:stake",
    "key": "tallystick.cli.key:key",
    "committee": "tallystick.cli.committee:committee",
    "pool": "tallystick.cli.pool:pool",
    "node": "tallystick.cli.node:node",
}


@click.group(cls=LazyGroup, lazy=COMMANDS, example="tallystick tally --rpc http://127.0.0.1:8545")
@click.version_option(package_name="tallystick")
def main() -> None:
    """Verified inference per network, recomputed from events. Sends no transaction.

    \b
    tallystick extract REGISTRY --rpc URL  events into ./data
    tallystick totals                      counters of each network
    tallystick reconcile --rpc 1=URL       and whether the contract agrees
    tallystick serve                       the same as a page and an API

    What sends is in `ape tallystick`. The chain is named by --rpc or --network, or once for all by
    TALLYSTICK_RPC or TALLYSTICK_NETWORK.
    """
