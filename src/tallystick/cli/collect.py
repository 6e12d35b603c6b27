"""tallystick collect: who asked, from the stores of batch data."""

from pathlib import Path

import click

from tallystick.cli.bars import bar
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.options import data_option
from tallystick.cli.output import show


@click.command(cls=ConsoleCommand, example="tallystick collect batches")
@click.argument("stores", nargs=-1, required=True)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def collect(stores: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Fetch the data of committed batches from STORES (folders, or URLs that fsspec knows).

    Each batch is rebuilt and must hash to its root. What is found feeds requesters and measures. A
    store that cannot be asked says nothing of a batch: the exit code is 1 then.
    """
    from dataclasses import asdict

    from tallystick.data.collect import collect as run
    from tallystick.data.extract.dataset import Dataset
    from tallystick.storage.batch_parser import GuardedStore

    folder = Dataset(data)
    rows, failures, unreachable = [], dict[str, str](), 0
    for registry in folder.registries():
        with bar("collect (batches)") as progress:
            done = run(folder, registry, [GuardedStore(store) for store in stores], progress)
        row = asdict(done)
        del row["contract"], row["failures"]
        failures |= done.failures
        unreachable += done.unreachable
        rows.append({"chain_id": registry.chain_id, "core": registry.address, **row})
    show(rows, as_json)
    if unreachable:
        again = " ".join(["tallystick collect", *stores, "--data", str(data)])
        raise CommandError(
            f"{unreachable} batches could not be looked for: {'; '.join(failures.values())}; "
            f"nothing is known of their data; run again: {again}"
        )
