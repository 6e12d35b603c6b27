"""Hashes by which a model is registered: of its content and of its spec."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.call import encode_call
from tallystick.chain.registry import Registry
from tallystick.errors import ActionError
from tallystick.protocol.keccak import keccak256
from tallystick.storage.models.content import content_hash

if TYPE_CHECKING:
    from tallystick.replay.model import Model


def model_hashes(
    registry: Registry, network_id: bytes, content: Path, spec: Path | bytes | None
) -> tuple[bytes, bytes]:
    """Return content and spec hash of a model file.

    Args:
        registry: the contract.
        network_id: where it is to be registered, 32 bytes.
        content: the model's file; a .qi8 file has its own spec.
        spec: its spec, or the file of it.

    Raises:
        ActionError: no spec is named; or a QI8-1 model is too large for the network's arbiter to
            run again in one transaction, or its inferences are larger than max_bytes.
        ModelRefusedError: an ONNX model answers in another way each time, or has weights outside
            its folder.
        OSError: a file cannot be read.
    """
    if content.suffix != ".qi8":
        if spec is None:
            raise ActionError("no spec is named; needed: a spec, unless the model is .qi8")
        text = spec.read_bytes() if isinstance(spec, Path) else spec
        if content.suffix == ".onnx":
            from tallystick.models.graph import load, refuse_random

            refuse_random(load(content))
        return content_hash(content), keccak256(text)
    if spec is not None:
        raise ActionError("a .qi8 model has its own spec; leave the spec out")
    # numpy, which only models need.
    from tallystick.replay.model import SPEC_ID, Model
    from tallystick.replay.transaction import too_long

    model = Model.read(content)
    _check_revealed(registry, network_id, content, model)
    arbiter = _replay_of(registry, network_id)
    if arbiter is not None:
        reason = too_long(model) or _too_dear(registry, arbiter, model)
        if reason is not None:
            raise ActionError(f"{content} cannot be replayed: {reason}")
    return model.content_hash(), SPEC_ID


def _check_revealed(registry: Registry, network_id: bytes, content: Path, model: "Model") -> None:
    """Refuse a model of which an inference is larger than a demand of the network may ask for."""
    size, most = (
        model.steps[0].in_size + model.steps[-1].out_size,
        registry.rules(network_id).max_bytes,
    )
    if most and size > most:
        raise ActionError(
            f"{content}: an inference has {size} bytes of input and output; the network lets at "
            f"most {most} be demanded (max_bytes), so that each demand of them would be lost"
        )


def _too_dear(registry: Registry, arbiter: bytes, model: "Model") -> str | None:
    """Return why the arbiter cannot run a model in one transaction; it is asked to, once."""
    from tallystick.replay.transaction import FIXED_GAS, MAX_GAS

    size = model.steps[0].in_size
    # Of another input the sums are others, not their number.
    data = (bytes(range(1, 256)) * (size // 255 + 1))[:size]
    steps = b"".join(step.pack_short() for step in model.steps)
    call = encode_call("Replay", arbiter, "run", steps, model.rows, data)
    most = MAX_GAS - FIXED_GAS
    request: Any = {"to": Web3.to_checksum_address(arbiter), "data": call.data, "gas": most}
    try:
        registry.w3.eth.estimate_gas(request)
    except Web3Exception as error:
        return f"its arbiter does not run it with {most:,} gas ({' '.join(str(error).split())})"
    return None


def _replay_of(registry: Registry, network_id: bytes) -> bytes | None:
    """Return the network's arbiter if it is a Replay."""
    from tallystick.data.resolvers.code import code_name

    arbiter: bytes = registry.rules(network_id).arbiter
    code = registry.w3.eth.get_code(Web3.to_checksum_address(arbiter))
    return arbiter if code_name(bytes(code)) == "Replay" else None
