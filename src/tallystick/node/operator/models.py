"""The models that an operator answers for: their files, and what runs them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tallystick.errors import FieldError, InputRefusedError
from tallystick.node.errors import SettingsError
from tallystick.node.operator.errors import RefusedError
from tallystick.node.runner import load, load_served_onnx
from tallystick.node.settings import LLM, ZK, OperatorSettings, ServedModel
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.storage.models.content import content_hash, needs_trace

if TYPE_CHECKING:
    from tallystick.replay.game import GameTrace


@dataclass(frozen=True, slots=True)
class Ran:
    """The result of running a model on an input."""

    output: bytes
    trace_root: bytes = ZERO32


class _Running(Protocol):
    def ran(self, inputs: Sequence[bytes]) -> list[Ran]: ...


class LoadedModel:
    """One model, ready to run; one call at a time, for a runner need not be thread-safe.

    Args:
        served: from the settings.
        content_hash: the file's, as registered, 32 bytes.
        spec_hash: as registered, 32 bytes.
    """

    def __init__(self, served: ServedModel, content_hash: bytes, spec_hash: bytes) -> None:
        self.id, self.file, self.runner = served.id, served.file, served.runner
        self.content_hash, self.spec_hash = content_hash, spec_hash
        self._running: _Running = (
            _Traced(served.file)
            if served.traced or needs_trace(spec_hash)
            else _Plain(served, spec_hash)
        )
        self._lock = threading.Lock()

    def run(self, inputs: Sequence[bytes]) -> list[Ran]:
        """Return what comes out.

        Raises:
            RefusedError: 422, an input that the model's spec does not allow.
            RunnerError: the model could not be run.
        """
        try:
            with self._lock:
                return self._running.ran(inputs)
        except (InputRefusedError, FieldError) as error:
            raise RefusedError(422, str(error)) from error

    def trace(self, data: bytes) -> "GameTrace | None":
        """Return all tensors of an inference; None of a model that no game is played about.

        They are computed anew each time: nothing of them is kept.

        Raises:
            FieldError: the input has another size than the model's.
        """
        if not needs_trace(self.spec_hash) or not isinstance(self._running, _Traced):
            return None
        from tallystick.replay.game import GameTrace

        # As loaded and checked at the start, whatever its file has become.
        return GameTrace.of(self._running.model, data)


def load_models(settings: OperatorSettings, ledger: Ledger) -> dict[bytes, LoadedModel]:
    """Return the operator's models by their ids, each found to be the registered one.

    Raises:
        SettingsError: a model is not registered in the network, or its file is another.
        RunnerError: a runner cannot be loaded.
    """
    loaded = {}
    for served in settings.models:
        model = ledger.models.get(served.id)
        if model is None or model.network_id != settings.network_id:
            raise SettingsError(f"the network has no model {to_hex(served.id)}")
        try:
            found = _content_hash(served, model.spec_hash)
        except OSError as error:
            raise SettingsError(f"{served.file} cannot be read: {error}") from error
        if found != model.content_hash:
            raise SettingsError(
                f"{served.file} has content hash {to_hex(found)}; "
                f"needed: {to_hex(model.content_hash)}"
            )
        loaded[served.id] = _loaded(served, found, model.spec_hash)
    return loaded


def _content_hash(served: ServedModel, spec_hash: bytes) -> bytes:
    if served.runner != ZK:
        return content_hash(served.file, spec_hash)
    from tallystick.zk.model import ZkModel

    return ZkModel.load(served.file).circuit.content_hash()


def _loaded(served: ServedModel, content: bytes, spec_hash: bytes) -> LoadedModel:
    if served.runner != LLM:
        return LoadedModel(served, content, spec_hash)
    from tallystick.node.operator.llm.model import LoadedLanguageModel

    return LoadedLanguageModel(served, content, spec_hash)


class _Plain:
    def __init__(self, served: ServedModel, spec_hash: bytes) -> None:
        if served.runner == "onnx":
            self._runner = load_served_onnx(served.file, served.spec, spec_hash)
        else:
            self._runner = load(served.runner, served.file)

    def ran(self, inputs: Sequence[bytes]) -> list[Ran]:
        return [Ran(output) for output in self._runner.infer(inputs)]


class _Traced:
    """A QI8-1 model whose steps a dispute may open."""

    def __init__(self, file: Path) -> None:
        from tallystick.replay.engine import Engine
        from tallystick.replay.model import Model

        self.model = Model.read(file)
        self._engine = Engine(self.model)
        self._size = self.model.steps[0].in_size

    def ran(self, inputs: Sequence[bytes]) -> list[Ran]:
        import numpy as np

        from tallystick.replay.trace import trace_root

        for place, data in enumerate(inputs):
            if len(data) != self._size:
                raise InputRefusedError(f"input {place} is {len(data)} bytes; needed: {self._size}")
        stacked = np.frombuffer(b"".join(inputs), np.uint8).reshape(-1, self._size)
        tensors = self._engine.trace(stacked)
        return [
            Ran(tensors[-1][at].tobytes(), trace_root([tensor[at].tobytes() for tensor in tensors]))
            for at in range(len(inputs))
        ]
