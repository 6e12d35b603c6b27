"""tallystick hub: push and pull model files by their content, list the registered ones."""

from pathlib import Path
from typing import Any

import click

from tallystick.console.bars import bar
from tallystick.console.command import ConsoleCommand
from tallystick.console.options import first_block_option, rpc_option
from tallystick.output import show
from tallystick.params import ADDRESS, BYTES32

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def hub() -> None:
    """Push and pull model files by their content, list the registered ones.

    A store is a folder, a URL that fsspec knows, or an operator's node (its URL and /models).
    """


@hub.command(cls=ConsoleCommand)
@click.argument("file", type=FILE)
@click.option("--store", required=True, help="Folder, or a URL that fsspec knows.")
@click.option("--spec", type=FILE, help="The model's spec; QI8-1 files need none.")
@click.option("--parent", type=BYTES32, help="Content hash of the version before.")
@click.option("--name", default="", help="What people call it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def push(
    file: Path, store: str, spec: Path | None, parent: bytes | None, name: str, as_json: bool
) -> None:
    """Keep FILE in a store under its content hash. Cut off, it goes on when run again.

    \b
    tallystick hub push digits.onnx --store s3://bucket/models --spec spec.txt
    """
    from tallystick.hub.store import ModelStore
    from tallystick.words import ZERO32

    with bar(f"push {file.name} (bytes)") as progress:
        pushed = ModelStore(store).push(
            file, _spec_hash(file, spec), parent or ZERO32, name, progress
        )
    manifest = pushed.manifest
    show(
        {
            "content_hash": manifest.content_hash,
            "spec_hash": manifest.spec_hash,
            "parent": manifest.parent,
            "size": manifest.size,
            "pieces": len(manifest.pieces),
            "sent": pushed.sent,
            "store": store,
        },
        as_json,
    )


@hub.command(cls=ConsoleCommand)
@click.argument("content_hash", type=BYTES32)
@click.option("--store", "stores", multiple=True, required=True, help="Several are tried in turn.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where the file is to be.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def pull(content_hash: bytes, stores: tuple[str, ...], output: Path, as_json: bool) -> None:
    """Fetch the model of a CONTENT_HASH and check it. Cut off, it goes on when run again.

    \b
    tallystick hub pull 0x... --store https://operator.example/models --output digits.onnx
    """
    from tallystick.hub.errors import HubError
    from tallystick.hub.store import ModelStore

    failures = []
    for store in stores:
        try:
            with bar(f"pull {output.name} (bytes)") as progress:
                manifest = ModelStore(store).pull(content_hash, output, progress=progress)
            break
        except HubError as error:
            failures.append(str(error))
    else:
        raise HubError("; ".join(failures))
    show(
        {
            "content_hash": manifest.content_hash,
            "size": manifest.size,
            "store": store,
            "file": str(output),
        },
        as_json,
    )


@hub.command("list", cls=ConsoleCommand)
@click.argument("core", type=ADDRESS)
@rpc_option
@click.option("--store", "stores", multiple=True, help="Asked for copies; several may be given.")
@click.option("--network", "network_id", type=BYTES32, help="Only this network's models.")
@first_block_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_registered(
    core: bytes,
    rpcs: tuple[str, ...],
    stores: tuple[str, ...],
    network_id: bytes | None,
    first_block: int,
    as_json: bool,
) -> None:
    """List the models registered in CORE: lineage, size, spec, and where a copy answers."""
    from tallystick.hub.listing import list_models
    from tallystick.hub.registered import read_models
    from tallystick.hub.store import ModelStore

    with bar("events (blocks)") as progress:
        models = read_models(rpcs, core, first_block, progress)
    listed = list_models(models, [ModelStore(url) for url in stores], network_id)
    rows: list[dict[str, Any]] = [
        {
            "model_id": one.model.id,
            "name": one.model.name,
            "network_id": one.model.network_id,
            "version": one.version,
            "lineage": list(one.lineage),
            "content_hash": one.model.content_hash,
            "spec": one.spec,
            "size": one.size,
            "copies": list(one.copies),
        }
        for one in listed
    ]
    show(rows, as_json)


def _spec_hash(file: Path, spec: Path | None) -> bytes:
    from tallystick.keccak import keccak256
    from tallystick.words import ZERO32

    if spec is not None:
        return keccak256(spec.read_bytes())
    with file.open("rb") as content:
        begins = content.read(8)
    return keccak256(b"QI8-1") if begins == b"QI8-1\0\0\0" else ZERO32
