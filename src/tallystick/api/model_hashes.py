"""A model before it is registered: its hashes, and whether it can be served and judged."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.call import encode_call
from tallystick.chain.registry import Registry
from tallystick.chain.replay_game import game_core
from tallystick.errors import ActionError
from tallystick.protocol.keccak import keccak256
from tallystick.storage.models.content import content_hash

if TYPE_CHECKING:
    from tallystick.replay.model import Model


NOT_FORCED = (
    "the network's max_bytes is 0: nobody can force withheld inputs and outputs out, so what is "
    "withheld can't be audited"
)


_NOT_ONNX = "only the comparison of an .onnx file can be elsewhere; leave that out"


@dataclass(frozen=True)
class Examined:
    """A model as it is to be registered."""

    content_hash: bytes
    spec_hash: bytes
    told: dict[str, Any] = field(default_factory=dict)
    """Facts for people: what it takes and gives, how it is compared, what to be careful of."""

    @property
    def hashes(self) -> tuple[bytes, bytes]:
        """Content and spec hash, 32 bytes each."""
        return self.content_hash, self.spec_hash


def examined(
    registry: Registry,
    network_id: bytes,
    content: Path,
    spec: Path | bytes | None,
    samples: Path | None = None,
    comparison_elsewhere: bool = False,
) -> Examined:
    """Return content and spec hash of a model file, and what it is.

    Args:
        registry: the contract.
        network_id: where it is to be registered, 32 bytes.
        content: the model's file; a .qi8 file has its own spec: QI8-1T where the arbiter is a
            replay game, else QI8-1.
        spec: its spec, or the file of it; an integer .onnx file needs none.
        samples: real inputs of an .onnx file, on which it is run once, and measured.
        comparison_elsewhere: an .onnx file's spec is in words of its own, and verifiers are set a
            comparison.

    Raises:
        ActionError: no spec is named where one is needed; or a QI8-1 model is too large for the
            network's arbiter to run again in one transaction, or to play for, or its
            inferences are larger than max_bytes; or an ONNX model's spec would convict honest
            operators.
        SpecError: an ONNX-1 spec is broken, or of another graph.
        ModelRefusedError: an ONNX model answers in another way each time, has weights outside its
            folder, or can't be served.
        RunnerError: an ONNX model can't be run.
        EngineError: the runtime of a GGUF model is not here.
        FieldError: the samples are not what it takes.
        OSError: a file cannot be read.
    """
    most = registry.rules(network_id).max_bytes
    told: dict[str, Any] = {} if most else {"caution": NOT_FORCED}
    if content.suffix != ".qi8":
        text = spec.read_bytes() if isinstance(spec, Path) else spec
        if content.suffix == ".onnx":
            found, text = _examined_onnx(content, text, samples, most, comparison_elsewhere)
            told = found | told
        elif comparison_elsewhere:
            raise ActionError(_NOT_ONNX)
        if content.suffix == ".gguf" and text is not None:
            from tallystick.api.gguf_registration import examine

            told |= examine(content, text)
        if text is None:
            raise ActionError("no spec is named; needed: a spec, unless the model is .qi8")
        return Examined(content_hash(content), keccak256(text), told)
    if comparison_elsewhere:
        raise ActionError(_NOT_ONNX)
    if spec is not None:
        raise ActionError("a .qi8 model has its own spec; leave the spec out")
    # numpy, which only models need.
    from tallystick.replay.model import SPEC_ID, Model
    from tallystick.replay.transaction import too_long

    model = Model.read(content)
    _check_revealed(content, model.steps[0].in_size + model.steps[-1].out_size, most)
    arbiter = registry.rules(network_id).arbiter
    if game_core(registry.w3, arbiter) is not None:
        return _for_a_game(content, model, told)
    if _is_replay(registry, arbiter):
        reason = too_long(model) or _too_dear(registry, arbiter, model)
        if reason is not None:
            raise ActionError(f"{content} cannot be replayed: {reason}")
    return Examined(model.content_hash(), SPEC_ID, told)


def _for_a_game(content: Path, model: "Model", told: dict[str, Any]) -> Examined:
    """Return the hashes under QI8-1T, of which a replay game judges."""
    from tallystick.replay.game import (
        GAME_SPEC_ID,
        GameTrace,
        game_content_hash,
        too_large_to_play,
    )
    from tallystick.replay.game_cost import move_costs, unprovable

    reason = too_large_to_play(model)
    if reason is None:
        # What an element takes depends on the steps alone, whatever the input.
        trace = GameTrace.of(model, bytes(model.steps[0].in_size))
        reason = unprovable(move_costs(trace))
    if reason is not None:
        raise ActionError(f"{content} cannot be played for: {reason}")
    return Examined(game_content_hash(model), GAME_SPEC_ID, told)


def _examined_onnx(
    content: Path, text: bytes | None, samples: Path | None, most: int, elsewhere: bool
) -> tuple[dict[str, Any], bytes]:
    """Return what to tell of an ONNX model, and its spec's text."""
    from tallystick.api.onnx_registration import examine

    facts = examine(content, text, samples, elsewhere)
    if not elsewhere:
        # Else a runner's bytes may be others than the graph's.
        _check_revealed(content, facts.bytes_of_one, most, "" if facts.is_fixed else "at least ")
    return facts.told, facts.spec


def _check_revealed(content: Path, size: int, most: int, about: str = "") -> None:
    """Refuse a model of which an inference is larger than a demand of the network may ask for."""
    if most and size > most:
        raise ActionError(
            f"{content}: an inference has {about}{size} bytes of input and output; the network "
            f"lets at most {most} be demanded (max_bytes), so that each demand of them would be "
            "lost"
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


def _is_replay(registry: Registry, arbiter: bytes) -> bool:
    """Return whether an arbiter is a Replay."""
    from tallystick.data.resolvers.code import code_name

    code = registry.w3.eth.get_code(Web3.to_checksum_address(arbiter))
    return code_name(bytes(code)) == "Replay"
