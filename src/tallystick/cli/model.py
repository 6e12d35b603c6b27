"""tallystick model: make, push and pull model files; list the registered ones."""

from pathlib import Path
from typing import Any

import click

from tallystick.cli.bars import bar
from tallystick.cli.calibration import calibrate
from tallystick.cli.chain import chain_options, json_option
from tallystick.cli.command import CommandError, ConsoleCommand, ConsoleGroup
from tallystick.cli.output import show
from tallystick.cli.params import BYTES32, FILE
from tallystick.cli.session import Session


@click.group(cls=ConsoleGroup, example="tallystick model push digits.onnx --store models")
def model() -> None:
    """Make, push and pull model files; list the registered ones.

    A model store is a folder, a URL that fsspec knows, or an operator's node (its URL and /models).
    """


@model.command(
    cls=ConsoleCommand, example="tallystick model push digits.onnx --store models --spec spec.txt"
)
@click.argument("file", type=FILE)
@click.option("--store", required=True, help="Folder, or a URL that fsspec knows.")
@click.option("--spec", type=FILE, help="The model's spec; QI8-1 files need none.")
@click.option("--parent", type=BYTES32, help="Content hash of the version before.")
@click.option("--name", default="", help="What people call it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def push(
    file: Path, store: str, spec: Path | None, parent: bytes | None, name: str, as_json: bool
) -> None:
    """Keep FILE in a model store under its content hash. Cut off, it goes on when run again."""
    from tallystick.protocol.abi_words import ZERO32
    from tallystick.storage.models.store import ModelStore

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


@model.command(
    cls=ConsoleCommand,
    example="tallystick model pull $CONTENT --store models --output pulled.onnx",
)
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
    """Fetch the model of a CONTENT_HASH and check it. Cut off, it goes on when run again."""
    from tallystick.storage.models.errors import ModelStoreError
    from tallystick.storage.models.store import ModelStore

    failures = []
    for store in stores:
        try:
            with bar(f"pull {output.name} (bytes)") as progress:
                manifest = ModelStore(store).pull(content_hash, output, progress=progress)
            break
        except ModelStoreError as error:
            failures.append(str(error))
    else:
        raise ModelStoreError("; ".join(failures))
    show(
        {
            "content_hash": manifest.content_hash,
            "size": manifest.size,
            "store": store,
            "file": str(output),
        },
        as_json,
    )


@model.command(
    "list", cls=ConsoleCommand, example="tallystick model list $NETWORK --store models --rpc $RPC"
)
@click.argument("network_id", type=BYTES32, required=False)
@click.option("--store", "stores", multiple=True, help="Asked for copies; several may be given.")
@chain_options
def list_registered(session: Session, network_id: bytes | None, stores: tuple[str, ...]) -> None:
    """List the models of a network, or of all: lineage, spec, and where a copy answers."""
    from tallystick.cli.network import need_network
    from tallystick.protocol.scope import Scope
    from tallystick.storage.models.listing import list_models
    from tallystick.storage.models.store import ModelStore

    scope = Scope.directory() if network_id is None else Scope.directory(network_id)
    ledger = session.ledger(scope=scope)
    need_network(ledger, network_id)
    models = ledger.models
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
            "spec_hash": one.model.spec_hash,
            "parent": one.model.parent,
            "uri": one.model.uri,
            "size": one.size,
            "copies": list(one.copies),
        }
        for one in listed
    ]
    session.show(rows)


@model.command(
    "import",
    cls=ConsoleCommand,
    example="tallystick model import digits.onnx own.qi8 --samples samples.npy --quantize",
)
@click.argument("source", type=FILE)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--samples", type=FILE, required=True, help="Real inputs as the graph takes them (.npy)."
)
@click.option("--quantize", is_flag=True, help="SOURCE is a float model: quantize it first.")
@click.option(
    "--types",
    type=click.Choice(["u8u8", "s8s8", "u8s7"]),
    default="u8u8",
    show_default=True,
    help="Of activations and weights, when quantizing.",
)
@click.option(
    "--until", help="Node before which the graph ends, such as its Softmax (TFLite: SOFTMAX)."
)
@json_option
def import_model(
    source: Path,
    target: Path,
    samples: Path,
    quantize: bool,
    types: str,
    until: str | None,
    as_json: bool,
) -> None:
    """Make a QI8-1 model of SOURCE, a quantized ONNX or TFLite file, and write it to TARGET.

    It is run beside onnxruntime on every tensor first, on SAMPLES and as many random inputs; what
    is not portable is refused by node, with what to do instead. With --quantize it says how far
    the answers on SAMPLES are from the float model's; of a TFLite file, how far they are from those
    of TFLite's reference kernels. Needs no chain.
    """
    from tallystick.cli.model_import import import_onnx_file, import_tflite_file
    from tallystick.replay.tflite_file import is_tflite

    if is_tflite(source):
        if quantize:
            raise CommandError(f"{source} is quantized already; import it without --quantize")
        show(import_tflite_file(source, target, samples, until), as_json)
        return
    show(import_onnx_file(source, target, samples, types if quantize else None, until), as_json)


@model.command(cls=ConsoleCommand, example="tallystick model describe digits.onnx")
@click.argument("file", type=FILE)
@json_option
def describe(file: Path, as_json: bool) -> None:
    """Say what FILE, an ONNX model, takes and gives, after it was run once, on zeros.

    What can't be served or judged is refused by its node or tensor. Needs no chain.
    """
    from tallystick.models.runner import OnnxModel
    from tallystick.storage.models.content import content_hash, external_files

    loaded = OnnxModel(file)
    given = loaded.graph.zeros()
    (output,) = loaded.infer([given])
    show(
        {
            "content_hash": content_hash(file),
            "files": [file.name, *external_files(file)],
            "inputs": [str(one) for one in loaded.graph.inputs],
            "outputs": [str(one) for one in loaded.graph.outputs],
            "input_bytes": len(given),
            "output_bytes": len(output),
        },
        as_json,
    )


model.add_command(calibrate)


def _spec_hash(file: Path, spec: Path | None) -> bytes:
    from tallystick.protocol.abi_words import ZERO32
    from tallystick.protocol.keccak import keccak256

    if spec is not None:
        return keccak256(spec.read_bytes())
    with file.open("rb") as content:
        begins = content.read(8)
    return keccak256(b"QI8-1") if begins == b"QI8-1\0\0\0" else ZERO32
