"""tallystick zk: models whose answers are proven; set up, answered, proven, checked."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.bars import bar
from tallystick.cli.chain import json_option
from tallystick.cli.command import CommandError, ConsoleCommand, ConsoleGroup
from tallystick.cli.output import show
from tallystick.cli.params import FILE

if TYPE_CHECKING:
    from tallystick.zk.engine import Limits

TYPES = click.Choice(["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"])
MODEL = click.Path(exists=True, file_okay=False, path_type=Path)
PROVE = "tallystick zk prove digits.zk proven.jsonl"

proofs_option = click.option(
    "--proofs",
    type=click.Path(file_okay=False, path_type=Path),
    default="batches/proofs",
    show_default=True,
    help="Folder of proofs, beside the batches' data.",
)


def limits_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the caps of one step."""
    function = click.option(
        "--memory",
        type=click.FloatRange(0, min_open=True),
        default=16.0,
        show_default=True,
        help="GiB of address space that one step may take.",
    )(function)
    return click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        default=600.0,
        show_default=True,
        help="Seconds that one step, or one proof, may take.",
    )(function)


def limits_of(timeout: float, memory: float) -> "Limits":
    """Return the caps that a command was given."""
    from tallystick.zk.engine import Limits

    return Limits(timeout, int(memory * 2**30))


@click.group(cls=ConsoleGroup, example=PROVE)
def zk() -> None:
    """Set models up whose answers are proven, prove answers, and check proofs, without a chain."""


@zk.command(
    cls=ConsoleCommand,
    example="tallystick zk setup mlp.onnx digits.zk --samples digits.npy --input u8 "
    "--input-scale 0",
)
@click.argument("onnx", type=FILE)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--samples", type=FILE, required=True, help="Real inputs (.npy), one a row.")
@click.option("--srs", type=FILE, help="A public ceremony's file; else one is made here.")
@click.option("--input", "input_type", type=TYPES, default="i32", show_default=True)
@click.option("--output", "output_type", type=TYPES, default="i32", show_default=True)
@click.option(
    "--input-scale",
    type=click.IntRange(0, 30),
    default=7,
    show_default=True,
    help="Inputs are multiples of 2^-scale.",
)
@click.option("--param-scale", type=click.IntRange(0, 30), default=10, show_default=True)
@click.option(
    "--legs",
    type=click.IntRange(1, 8),
    default=4,
    show_default=True,
    help="Intermediate values are less than 128^legs.",
)
@limits_options
@json_option
def setup(
    onnx: Path,
    folder: Path,
    samples: Path,
    srs: Path | None,
    input_type: str,
    output_type: str,
    input_scale: int,
    param_scale: int,
    legs: int,
    timeout: float,
    memory: float,
    as_json: bool,
) -> None:
    """Make a circuit of ONNX (one input, one output), with keys and verifier, in FOLDER.

    Says which share of SAMPLES it answers as ONNX does: a circuit rounds in ways of its own.
    Without --srs the setup is made on this machine, and who made it can forge: for tests only.
    """
    import numpy as np

    from tallystick.zk.setup import Choices, set_up
    from tallystick.zk.srs import LOCAL_CAUTION

    try:
        given = np.load(samples, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise CommandError(f"{samples} is no .npy file of samples: {error}") from error
    choices = Choices(input_type, output_type, input_scale, param_scale, legs=legs)
    made = set_up(
        onnx,
        folder,
        given,
        choices,
        srs,
        limits_of(timeout, memory),
        lambda name: click.echo(f"{name} ...", err=True),
    )
    if not made.public_setup:
        click.echo(f"caution: {LOCAL_CAUTION}", err=True)
    show({**made.told(), "folder": str(folder)}, as_json)


@zk.command(cls=ConsoleCommand, example="tallystick zk describe digits.zk")
@click.argument("model", type=MODEL)
@json_option
def describe(model: Path, as_json: bool) -> None:
    """Say what MODEL is: its hashes, encodings, setup, and share of equal answers."""
    from tallystick.zk.model import ZkModel

    show(ZkModel.load(model).told(), as_json)


@zk.command(
    cls=ConsoleCommand, example="tallystick zk answer digits.zk digits.npy --out proven.jsonl"
)
@click.argument("model", type=MODEL)
@click.argument("inputs", type=FILE)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="JSON Lines."
)
@limits_options
@json_option
def answer(
    model: Path, inputs: Path, out: Path, timeout: float, memory: float, as_json: bool
) -> None:
    """Write the circuit's answers to INPUTS (.npy) as records, to be proven and committed."""
    import json

    import numpy as np

    from tallystick.protocol.hexes import to_hex
    from tallystick.storage.durable import replace_file
    from tallystick.zk.model import ZkModel
    from tallystick.zk.setup import inputs_of

    loaded = ZkModel.load(model)
    try:
        given = np.load(inputs, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise CommandError(f"{inputs} is no .npy file of inputs: {error}") from error
    whole = inputs_of(loaded.circuit.input, given)
    outputs = loaded.answers(whole, limits_of(timeout, memory))
    lines = [
        json.dumps({"input": to_hex(input_), "output": to_hex(output)})
        for input_, output in zip(whole, outputs, strict=True)
    ]
    replace_file(out, "".join(line + "\n" for line in lines).encode())
    show({"answers": len(lines), "file": str(out)}, as_json)


@zk.command(cls=ConsoleCommand, example=PROVE)
@click.argument("model", type=MODEL)
@click.argument("records", type=FILE)
@proofs_option
@limits_options
@json_option
def prove(
    model: Path, records: Path, proofs: Path, timeout: float, memory: float, as_json: bool
) -> None:
    """Prove each of RECORDS (JSON Lines or Parquet), one at a time.

    What is proven already stays: cut off at any point, it goes on when run again. A record whose
    output is not the circuit's is refused.
    """
    from tallystick.storage.record_files import read_records
    from tallystick.zk.model import ZkModel
    from tallystick.zk.proofs import ProofFolder, prove_all

    folder = ProofFolder(proofs, ZkModel.load(model))
    read = read_records(records)
    with bar("prove (records)") as progress:
        made = sum(new for _, new in prove_all(folder, read, limits_of(timeout, memory), progress))
    show({"proven": len(read), "made": made, "proofs": str(proofs)}, as_json)


@zk.command(cls=ConsoleCommand, example="tallystick zk verify digits.zk proven.jsonl")
@click.argument("model", type=MODEL)
@click.argument("records", type=FILE)
@proofs_option
@limits_options
@json_option
def verify(
    model: Path, records: Path, proofs: Path, timeout: float, memory: float, as_json: bool
) -> None:
    """Check the proof of each of RECORDS by the model's verifying key, without a chain."""
    from tallystick.storage.record_files import read_records
    from tallystick.zk.model import ZkModel
    from tallystick.zk.proofs import ProofFolder

    folder = ProofFolder(proofs, ZkModel.load(model))
    read = read_records(records)
    with bar("verify (records)") as progress:
        for done, record in enumerate(read, 1):
            folder.check(record, limits_of(timeout, memory))
            progress(done, len(read))
    show({"verified": len(read)}, as_json)
