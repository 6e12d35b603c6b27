"""tallystick collect: who asked, from the stores of batch data."""

from pathlib import Path

import click

from tallystick.console.bars import bar
from tallystick.console.command import ConsoleCommand
from tallystick.console.options import data_option
from tallystick.output import show


@click.command(cls=ConsoleCommand)
@click.argument("stores", nargs=-1, required=True)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def collect(stores: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Fetch the data of committed batches from STORES (folders, or URLs that fsspec knows).

    Each batch is rebuilt and must hash to its root. What is found feeds requesters and measures.
    """
    from dataclasses import asdict

    from tallystick.collect.collect import collect as run
    from tallystick.extract.dataset import Dataset
    from tallystick.store import BatchStore

    folder = Dataset(data)
    rows = []
    for core in folder.cores():
        with bar("collect (batches)") as progress:
            done = run(folder, core, [BatchStore(store) for store in stores], progress)
        row = asdict(done)
        del row["core"]
        rows.append({"chain_id": core.chain_id, "core": core.address, **row})
    show(rows, as_json)
