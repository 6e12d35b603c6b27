"""Model files: made of ONNX, and hashed for registration."""

from pathlib import Path
from typing import Any

import numpy as np

from tallystick.cli.command import CommandError
from tallystick.cli.session import Session
from tallystick.keccak import keccak256
from tallystick.replay.model import SPEC_ID, Model

MAX_TRANSACTION = 128 * 1024
"""Bytes of a transaction that nodes pass on; a replay brings the whole model along."""
MAX_GAS = 2**24
"""Of a transaction, since Osaka."""
GAS_A_MAC = 9
"""Measured at most over the models of `make bench`, calldata not included."""
CALLDATA_GAS = 40
"""A byte at the floor of EIP-7623, none of them zero."""
FIXED_GAS = 150_000
"""Opening, rejection, archive."""


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
    reason = too_large(model)
    if reason is not None and _replays(session, network_id):
        raise CommandError(f"{content} cannot be replayed: {reason}")
    return model.content_hash(), SPEC_ID


def too_large(model: Model) -> str | None:
    """Return why a model cannot be run again in one transaction; None when it can."""
    size = len(model.rows) + 40 * len(model.steps) + model.steps[0].in_size + 1200
    if size > MAX_TRANSACTION:
        return f"its proof is about {size:,} bytes; a transaction holds {MAX_TRANSACTION:,}"
    gas = FIXED_GAS + max(CALLDATA_GAS * size, GAS_A_MAC * model.macs + 16 * size)
    if gas > MAX_GAS:
        return f"its proof needs up to {gas:,} gas; a transaction may use {MAX_GAS:,}"
    return None


def _replays(session: Session, network_id: bytes) -> bool:
    """Whether the network's arbiter is a Replay."""
    from web3 import Web3

    from tallystick.resolvers.code import identify

    arbiter = session.registry.rules(network_id).arbiter
    code = session.w3.eth.get_code(Web3.to_checksum_address(arbiter))
    return identify(bytes(code)) == "Replay"
