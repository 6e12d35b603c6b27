"""Model files made of ONNX."""

from pathlib import Path
from typing import Any

import numpy as np

from tallystick.cli.command import CommandError
from tallystick.replay.model import SPEC_ID
from tallystick.replay.transaction import too_large


def import_onnx_file(
    source: Path, target: Path, samples: Path, types: str | None
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
    if types:
        read = quantize(read, real.astype(np.float32), Types[types.upper()])
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
