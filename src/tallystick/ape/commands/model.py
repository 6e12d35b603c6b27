"""ape tallystick model: register models by their content."""

from pathlib import Path
from typing import NamedTuple, get_args

import click

from tallystick.ape.options import sending_options
from tallystick.api.gguf_registration import Kind
from tallystick.cli.calibration import calibrate
from tallystick.cli.command import CommandError, ConsoleCommand, ConsoleGroup
from tallystick.cli.model import describe, import_model, list_registered, pull, push
from tallystick.cli.params import BYTES32, FILE
from tallystick.cli.session import Session

EXAMPLE = "ape tallystick model register $NETWORK --name digits --file digits.onnx --spec spec.txt"


@click.group(cls=ConsoleGroup, example=EXAMPLE)
def cli() -> None:
    """Import models, keep them by their content, register and list them."""


@cli.command(cls=ConsoleCommand, example=EXAMPLE)
@click.argument("network_id", type=BYTES32)
@click.option("--name", required=True, help="What people call it; event data only.")
@click.option("--uri", default="", help="Where it can be had; event data only.")
@click.option(
    "--file",
    "content",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="The model; hashed, not sent. Of a zk model the folder.",
)
@click.option(
    "--spec",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Its spec; hashed, not sent. A .qi8 file has its own.",
)
@click.option(
    "--make-spec",
    "kind",
    type=click.Choice(get_args(Kind)),
    help="Write the spec of a .gguf file to --spec, or beside it.",
)
@click.option(
    "--kernel",
    type=click.Choice(["avx2", "avx512"]),
    default="avx2",
    show_default=True,
    help="Kernels of an exact spec that is made.",
)
@click.option("--context", type=click.IntRange(2), help="Most tokens of prompt and answer there.")
@click.option(
    "--tokens",
    type=click.IntRange(1),
    default=512,
    show_default=True,
    help="Of an answer whose body names no number.",
)
@click.option("--samples", type=FILE, help="Real inputs (.npy, .npz) to run an .onnx file on.")
@click.option(
    "--comparison-elsewhere",
    is_flag=True,
    help="The spec of an .onnx file is in words of its own, and each verifier is set a comparison.",
)
@click.option("--parent", type=BYTES32, default=bytes(32), help="Id of the version before.")
@click.option(
    "--local-setup",
    is_flag=True,
    help="Take a zk model whose setup was made on one machine also where it is no test network.",
)
@sending_options
def register(
    session: Session,
    network_id: bytes,
    name: str,
    uri: str,
    content: Path,
    spec: Path | None,
    kind: Kind | None,
    kernel: str,
    context: int | None,
    tokens: int,
    samples: Path | None,
    comparison_elsewhere: bool,
    parent: bytes,
    local_setup: bool,
) -> None:
    """Register a model in a network: by anyone if it is open, else by its owner.

    A .qi8 file is registered so that a Replay arbiter can run it again on chain. An .onnx file is
    run once, and refused where its answers could not be served or judged; unless its graph is
    integer it needs a spec with a tolerance (tallystick model calibrate), or one in words of its
    own with --comparison-elsewhere. A .gguf file is loaded, and refused where its chat template or
    its tokens could not be rendered again by everybody; an exact spec of another model than SmolLM2
    takes its golden hash, which is shown. Of a folder that `zk setup` made, the verifier is
    deployed; which share of the samples the circuit answered as its source is shown.
    """
    if content.is_dir():
        if spec or kind or samples or comparison_elsewhere:
            raise click.UsageError("a zk model has a spec of its own, and was measured by zk setup")
        from tallystick.ape.zk import register_circuit

        register_circuit(session, network_id, content, name, uri, parent, local_setup)
        return
    from tallystick.ape.models import examine
    from tallystick.protocol.rules import model_id
    from tallystick.protocol.scope import Scope
    from tallystick.storage.durable import replace_file

    made = None if kind is None else _made(content, spec, (kind, kernel, context, tokens))
    found = examine(
        session, network_id, content, made.text if made else spec, samples, comparison_elsewhere
    )
    if made:
        found.told["spec"] = str(made.file)
        if not session.dry_run:
            replace_file(made.file, made.text)
    hashes = found.hashes
    key = model_id(network_id, session.sender.address, *hashes, parent)
    if key in session.ledger(scope=Scope.directory(network_id)).models:
        session.show({"move": "none: registered already", "model_id": key, **found.told})
        return
    call = session.registry.call("registerModel", network_id, *hashes, parent, name, uri)
    session.perform(call, model_id=key, **found.told)


class _Made(NamedTuple):
    """A spec that is made here, and the file that it goes to."""

    text: bytes
    file: Path


def _made(
    content: Path,
    file: Path | None,
    how: tuple[Kind, str, int | None, int],
) -> _Made:
    from tallystick.api.gguf_registration import make_spec

    text = make_spec(content, *how).encode()
    file = file or content.with_name(f"{content.name}.{how[0]}.txt")
    if file.exists() and file.read_bytes() != text:
        raise CommandError(f"{file} is there already, with another text")
    return _Made(text, file)


for command in (push, pull, list_registered, import_model, describe, calibrate):
    cli.add_command(command)
