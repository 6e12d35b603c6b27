"""The group of the console's commands."""

import click

from tallystick.console.collect import collect
from tallystick.console.extract import extract
from tallystick.console.hub import hub
from tallystick.console.opengradient import opengradient
from tallystick.console.probe import probe
from tallystick.console.receipt import receipt
from tallystick.console.reconcile import reconcile
from tallystick.console.serve import export, serve
from tallystick.console.totals import measures, requesters, totals
from tallystick.console.utility import utility


@click.group()
@click.version_option(package_name="tallystick")
def main() -> None:
    """Verified inference per network, recomputed from events. Needs no account.

    \b
    tallystick extract CORE --rpc URL      events into ./data
    tallystick totals                      counters of each network
    tallystick reconcile --rpc 1=URL       and whether the contract agrees
    tallystick serve                       the same as a page and an API
    """


for command in (
    extract,
    collect,
    totals,
    measures,
    requesters,
    utility,
    reconcile,
    probe,
    receipt,
    serve,
    export,
    hub,
    opengradient,
):
    main.add_command(command)
