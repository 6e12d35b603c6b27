"""The models that a verifier can run again, each checked against its registered content."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tallystick.errors import InputRefusedError, TallystickError
from tallystick.node.log import get_log
from tallystick.node.runner import Judge, Runner, load, load_judge, load_onnx
from tallystick.node.settings import LLM, ZK, ModelSource
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import Batch
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.ledger import Model as RegisteredModel
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.verdicts import GOOD, Judged, Verdict, judge_batch
from tallystick.replay.engine import Engine
from tallystick.replay.evidence import evidence, game_disproof
from tallystick.replay.game import GameTrace, game_content_hash, infer_traced
from tallystick.replay.model import SPEC_ID
from tallystick.replay.model import Model as Qi8Model
from tallystick.storage.file_lock import locked
from tallystick.storage.margins_file import MarginNote
from tallystick.storage.models.content import content_hash, needs_trace
from tallystick.storage.models.store import ModelStore

if TYPE_CHECKING:
    from tallystick.llm.engine.errors import SelfTestError

_LOG = get_log("verifier")
_REFUSED = Judged(Verdict.WRONG, float("inf"), "the spec does not allow the input")
_ANOTHER_OUTPUT = Judged(Verdict.WRONG, float("inf"), "another output")
_ANOTHER_TRACE = Judged(Verdict.WRONG, float("inf"), "another traceRoot")


class ModelSourceError(TallystickError, RuntimeError):
    """A model's content is missing, or is not what was registered."""


class BytesMissingError(TallystickError, LookupError):
    """A leaf cannot be run again: its data lack bytes; `place` is among the leaves looked at."""

    def __init__(self, place: int, which: str) -> None:
        self.place = place
        super().__init__(f"the data lack {which} bytes")


class Rerun(Protocol):
    """A model, ready to be compared with."""

    def judge(self, records: Sequence[InferenceRecord]) -> list[Judged]:
        """Return the verdict on each leaf's output, by what its input gives.

        Raises:
            BytesMissingError: the data lack what is needed to say.
            RunnerError: the model could not be run.
        """
        ...

    def judge_batch(self, judged: Sequence[Judged]) -> tuple[Verdict, str]:
        """Return the verdict on a batch by its drawn leaves, of which none is wrong.

        With it, what there is to say of them together.
        """
        ...

    def margin_notes(self, batch: Batch, judged: Mapping[int, Judged]) -> list[MarginNote]:
        """Return what is to be noted of answers that were measured, given by their leaves."""
        ...

    def evidence(self, registered: RegisteredModel, record: InferenceRecord) -> bytes | None:
        """Return what a Replay rules on; None when it cannot rule on this model or leaf."""
        ...


@dataclass(frozen=True, slots=True)
class OutputRerun:
    """A model whose outputs are computed anew, and compared."""

    runner: Runner
    judging: Judge
    qi8: Qi8Model | None = None
    """Its content, when a contract can run it too."""

    def judge(self, records: Sequence[InferenceRecord]) -> list[Judged]:
        """Return the verdict on each leaf's output; see `Rerun.judge`."""
        inputs = []
        for place, record in enumerate(records):
            if record.input is None:
                raise BytesMissingError(place, "the input's")
            inputs.append(record.input)
        own = self._infer(inputs)
        found, compared = [GOOD] * len(own), []
        for place, (record, answer) in enumerate(zip(records, own, strict=True)):
            if answer is None:
                found[place] = _REFUSED
            elif keccak256(answer) != record.output_hash:
                compared.append((place, inputs[place], self._output(place, record), answer))
        if compared:
            places, *columns = zip(*compared, strict=True)
            for place, one in zip(places, self.judging.judge(*columns), strict=True):
                found[place] = one
        return found

    def judge_batch(self, judged: Sequence[Judged]) -> tuple[Verdict, str]:
        """Return the verdict on a batch; see `Rerun.judge_batch`."""
        return judge_batch(judged), ""

    def margin_notes(self, batch: Batch, judged: Mapping[int, Judged]) -> list[MarginNote]:
        """Return nothing: outputs are compared whole."""
        return []

    def _infer(self, inputs: list[bytes]) -> list[bytes | None]:
        """Return the outputs; None for an input that the spec does not allow."""
        try:
            return list(self.runner.infer(inputs))
        except InputRefusedError:
            if len(inputs) == 1:
                return [None]
        return [own for one in inputs for own in self._infer([one])]

    @staticmethod
    def _output(place: int, record: InferenceRecord) -> bytes:
        if record.output is None:
            raise BytesMissingError(place, "the output's")
        return record.output

    def evidence(self, registered: RegisteredModel, record: InferenceRecord) -> bytes | None:
        """Return what a Replay rules on; None when it cannot rule on this model or leaf."""
        if self.qi8 is None or record.input is None or registered.spec_hash != SPEC_ID:
            return None
        return evidence(
            self.qi8,
            registered.network_id,
            registered.registrant,
            registered.parent,
            record.input,
        )


@dataclass(frozen=True, slots=True)
class TracedRerun:
    """A QI8-1T model, of which a leaf is right when output and traceRoot both are."""

    qi8: Qi8Model

    def judge(self, records: Sequence[InferenceRecord]) -> list[Judged]:
        """Return the verdict on each leaf; see `Rerun.judge`."""
        engine, found = Engine(self.qi8), []
        for place, record in enumerate(records):
            if record.input is None:
                raise BytesMissingError(place, "the input's")
            found.append(self._judged(engine, record, record.input))
        return found

    def judge_batch(self, judged: Sequence[Judged]) -> tuple[Verdict, str]:
        """Return the verdict on a batch; see `Rerun.judge_batch`."""
        return judge_batch(judged), ""

    def margin_notes(self, batch: Batch, judged: Mapping[int, Judged]) -> list[MarginNote]:
        """Return nothing: hashes are compared."""
        return []

    def evidence(self, registered: RegisteredModel, record: InferenceRecord) -> bytes | None:
        """Return what a replay game rules on without a game; None where it takes one."""
        if record.input is None or (record.trace_root != ZERO32 and self._fits(record.input)):
            return None
        named = registered.network_id, registered.registrant, registered.parent
        return game_disproof(self.qi8, *named, record.input)

    def trace(self, record: InferenceRecord) -> GameTrace | None:
        """Return all tensors of a leaf's inference; None where the data lack the input, or the
        model takes no such one."""
        if record.input is None or not self._fits(record.input):
            return None
        return GameTrace.of(self.qi8, record.input)

    def _fits(self, data: bytes) -> bool:
        return len(data) == self.qi8.steps[0].in_size

    def _judged(self, engine: Engine, record: InferenceRecord, data: bytes) -> Judged:
        if not self._fits(data):
            return _REFUSED
        # One at a time: a large model's tensors of many would not fit the memory.
        output, root = infer_traced(engine, data)
        if keccak256(output) != record.output_hash:
            return _ANOTHER_OUTPUT
        return GOOD if root == record.trace_root else _ANOTHER_TRACE


class Models:
    """Loads models when they are first needed.

    Args:
        sources: where each is found.
        stores: URLs of model stores, tried in turn for models without a file.
        folder: for what is pulled from there.
    """

    def __init__(
        self, sources: Sequence[ModelSource], stores: Sequence[str] = (), folder: Path = Path()
    ) -> None:
        self._sources = {source.id: source for source in sources}
        self._stores, self._folder = stores, folder
        self._loaded: dict[bytes, Rerun] = {}
        self._unfit: dict[bytes, SelfTestError] = {}
        self._lock = threading.Lock()
        self._locks: dict[bytes, threading.Lock] = {}

    def __contains__(self, model_id: bytes) -> bool:
        """Return whether there is a source, and no engine that failed its self-test."""
        return model_id in self._sources and model_id not in self._unfit

    def rerun(self, registered: RegisteredModel) -> Rerun:
        """Return a model, ready to run.

        Raises:
            ModelSourceError: no source, or its content has another hash.
            RunnerError: its runner cannot load it.
            SelfTestError: its engine gives other logits than the spec's; not tried again.
        """
        with self._lock:
            own = self._locks.setdefault(registered.id, threading.Lock())
        # A large model is loaded once, however many batches wait for it; others wait for none.
        with own:
            if registered.id in self._unfit:
                raise self._unfit[registered.id]
            found = self._loaded.get(registered.id)
            if found is None:
                found = self._loaded[registered.id] = self._load(registered)
            return found

    def _load(self, registered: RegisteredModel) -> Rerun:
        source = self._sources.get(registered.id)
        if source is None:
            raise ModelSourceError(f"no source is set for model 0x{registered.id.hex()}")
        # A zk model is a folder, which no store has.
        file = source.file if source.runner == ZK else source.file or self._pulled(registered)
        if source.runner == "qi8":
            return self._load_qi8(source, registered, file)
        if source.runner == ZK:
            return self._load_zk(registered, file)
        if file is not None:
            _check(file, _hash(file), registered.content_hash)
        if source.runner == LLM and file is not None:
            return self._load_language(source, registered, file)
        if source.runner == "onnx" and file is not None:
            how = source.comparison, source.second
            return OutputRerun(*load_onnx(file, source.spec, registered.spec_hash, *how))
        return OutputRerun(load(source.runner, file), load_judge(source.comparison))

    def _pulled(self, registered: RegisteredModel) -> Path | None:
        """Return a model's file, pulled unless it is here; None where no store is set."""
        # A folder for each: weights beside a graph's file have the names that the graph gives them.
        folder = self._folder / registered.content_hash.hex()
        path, reasons = folder / "model", []
        for url in self._stores:
            try:
                with locked(folder.with_suffix(".lock")):
                    if not path.exists():
                        ModelStore(url).pull(registered.content_hash, path, registered.spec_hash)
                return path
            except (TallystickError, OSError) as error:
                reasons.append(f"{url}: {error}")
        if reasons:
            raise ModelSourceError(
                f"no model store gives model 0x{registered.id.hex()}: {'; '.join(reasons)}"
            )
        return None

    def _load_language(self, source: ModelSource, registered: RegisteredModel, file: Path) -> Rerun:
        from tallystick.llm.engine.errors import SelfTestError
        from tallystick.node.verifier.language import load_language

        try:
            return load_language(source, registered, file)
        except SelfTestError as error:
            self._unfit[registered.id] = error
            _LOG.error("the engine is unfit; its batches are left alone", reason=str(error))
            raise

    def _load_qi8(
        self, source: ModelSource, registered: RegisteredModel, file: Path | None
    ) -> Rerun:
        if file is None:
            raise ModelSourceError(f"no file is set for model 0x{registered.id.hex()}")
        model = Qi8Model.from_bytes(_read(file))
        if needs_trace(registered.spec_hash):
            _check(file, game_content_hash(model), registered.content_hash)
            return TracedRerun(model)
        _check(file, model.content_hash(), registered.content_hash)
        return OutputRerun(load("qi8", file), load_judge(source.comparison), model)

    def _load_zk(self, registered: RegisteredModel, file: Path | None) -> Rerun:
        from tallystick.protocol.proof import SPEC_ID as ZK_1
        from tallystick.zk.model import ZkModel

        if file is None:
            raise ModelSourceError(f"no folder is set for zk model 0x{registered.id.hex()}")
        if registered.spec_hash != ZK_1:
            raise ModelSourceError(f"model 0x{registered.id.hex()} is of another spec than ZK-1")
        _check(file, ZkModel.load(file).circuit.content_hash(), registered.content_hash)
        # A circuit gives an input the same output everywhere: equal bytes, no comparison.
        return OutputRerun(load(ZK, file), load_judge(""))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelSourceError(f"{file} cannot be read: {error}") from error


def _hash(file: Path) -> bytes:
    try:
        return content_hash(file)
    except OSError as error:
        raise ModelSourceError(f"{file} cannot be read: {error}") from error


def _check(file: Path, found: bytes, needed: bytes) -> None:
    if found != needed:
        raise ModelSourceError(
            f"{file} has content hash 0x{found.hex()}; registered: 0x{needed.hex()}"
        )
