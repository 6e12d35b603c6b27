"""Model files: made of ONNX, and hashed for registration."""

from pathlib import Path
from typing import Any

import numpy as np
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.call import encode_call
from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.keccak import keccak256
from tallystick.replay.model import SPEC_ID, Model
from tallystick.replay.transaction import (
    FIXED_GAS,
    MAX_GAS,
    too_large,
    too_long,
)


def import_onnx_file(
    source: Path, target: Path, samples: Path, quantise: str | None
) -> dict[str, Any]:
    """Write a QI8-1 model, and return what it is.

    Raises:
        CommandError: the samples are no array.
        UnportableError: not an ONNX file, or a node that cannot be replayed; nothing was written.
    """
    from tallystick.replay.importer import import_onnx, load
    from tallystick.replay.quantize import Types, quantize

    try:
        real = np.load(samples, allow_pickle=False)
    except (ValueError, OSError) as error:
        raise CommandError(f"{samples} is no .npy array: {error}") from error
    read = load(source)
    if quantise:
        read = quantize(read, real.astype(np.float32), Types[quantise.upper()])
    model = import_onnx(read, real)
    target.write_bytes(model.to_bytes())
    reason = too_large(model)
    return {
        "model": str(target),
        "content_hash": model.content_hash(),
        "spec_hash": SPEC_ID,
        "steps": len(model.steps),
        "weights_bytes": len(model.rows),
        "multiply_accumulates": model.macs,
        "replayable_in_one_transaction": reason is None,
        "reason": reason,
    }


def hashes_of(
    session: Session, network_id: bytes, content: Path, spec: Path | None
) -> tuple[bytes, bytes]:
    """Return content and spec hash of a model file.

    Raises:
        CommandError: no spec is named; or a QI8-1 model is too large for the network's arbiter to
            run again in one transaction.
    """
    if content.suffix != ".qi8":
        if spec is None:
            raise CommandError("no spec is named; needed: --spec FILE, unless the model is .qi8")
        return keccak256(content.read_bytes()), keccak256(spec.read_bytes())
    if spec is not None:
        raise CommandError("a .qi8 model has its own spec; leave --spec out")
    model = Model.read(content)
    arbiter = _replay_of(session, network_id)
    if arbiter is not None:
        reason = too_long(model) or _too_dear(session, arbiter, model)
        if reason is not None:
            raise CommandError(f"{content} cannot be replayed: {reason}")
    return model.content_hash(), SPEC_ID


def _too_dear(session: Session, arbiter: bytes, model: Model) -> str | None:
    """Return why the arbiter cannot run a model in one transaction; it is asked to, once."""
    size = model.steps[0].in_size
    # Of another input the sums are others, not their number.
    data = (bytes(range(1, 256)) * (size // 255 + 1))[:size]
    steps = b"".join(step.pack_short() for step in model.steps)
    call = encode_call("Replay", arbiter, "run", steps, model.rows, data)
    most = MAX_GAS - FIXED_GAS
    request: Any = {"to": Web3.to_checksum_address(arbiter), "data": call.data, "gas": most}
    try:
        session.w3.eth.estimate_gas(request)
    except Web3Exception as error:
        return f"its arbiter does not run it with {most:,} gas ({' '.join(str(error).split())})"
    return None


def _replay_of(session: Session, network_id: bytes) -> bytes | None:
    """Return the network's arbiter if it is a Replay."""
    from tallystick.resolvers.code import code_name

    arbiter: bytes = session.registry.rules(network_id).arbiter
    code = session.w3.eth.get_code(Web3.to_checksum_address(arbiter))
    return arbiter if code_name(bytes(code)) == "Replay" else None
