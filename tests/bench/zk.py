"""Print what a zk proof of the digits MLP costs, beside running the same model again on chain.

`python -m tests.bench.zk`; JSON=1 for objects. Seconds are the best of REPEATS (default 3), with
EZKL started for each step as `tallystick zk` starts it; CPU time is that of all of a step's
processes, which others on the machine change little. Memory is the peak of EZKL's process, looked
at every few milliseconds. Replay runs the MLP of the same weights, quantized to int8, in a whole
transaction of disprove.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import onnx
import psutil

from tallystick.chain.deploy import create2_address
from tallystick.chain.localnet import localnet
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.record import InferenceRecord
from tallystick.replay.client import encode
from tallystick.replay.evidence import evidence
from tallystick.replay.importer import import_onnx
from tallystick.replay.model import Model
from tallystick.replay.quantize import Types, quantize
from tallystick.zk import worker
from tallystick.zk.model import ZkModel
from tallystick.zk.proofs import ProofFolder
from tests.bench.figures import Figure, tell
from tests.support.chain import Chain
from tests.support.replay import found
from tests.support.story import fund
from tests.zk import gas
from tests.zk.digits import images
from tests.zk.proven import LIMITS, Proven, answered, set_up_mlp

REPEATS = int(os.environ.get("REPEATS", "3"))
GENESIS = 1_800_000_000


class Cost(NamedTuple):
    """What a step took."""

    seconds: float
    cpu: float
    """Seconds."""
    memory: float
    """Megabytes."""


def _set_up(folder: Path) -> None:
    folder.mkdir()
    set_up_mlp(folder)


def _answer(model: ZkModel) -> None:
    answered(model, 1)


def _prove(folder: Path, model: ZkModel, record: InferenceRecord) -> None:
    """Make a proof and check it, as `zk prove` does."""
    ProofFolder(folder, model).prove(record, LIMITS)


def _verify(folder: Path, model: ZkModel, record: InferenceRecord) -> None:
    ProofFolder(folder, model).check(record, LIMITS)


class _Memory:
    """Looks at the resident memory of EZKL's processes while something is done."""

    def __enter__(self) -> "_Memory":
        self.peak, self._done = 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.005):
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    # Until it runs its own program a child has its parent's memory.
                    if str(worker.__file__) in child.cmdline():
                        self.peak = max(self.peak, child.memory_info().rss)


def _cost(step: Callable[..., None], *arguments: object) -> Cost:
    with _Memory() as memory:
        start, before = perf_counter(), os.times()
        step(*arguments)
        seconds, after = perf_counter() - start, os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    return Cost(seconds, cpu, memory.peak / 1e6)


def _least(name: str, costs: list[Cost]) -> Iterator[Figure]:
    yield Figure(f"{name}, time", min(one.seconds for one in costs), "s")
    yield Figure(f"{name}, CPU time", min(one.cpu for one in costs), "s")
    yield Figure(f"{name}, memory", max(one.memory for one in costs), "MB")


def off_chain(folder: Path) -> tuple[list[Figure], Proven]:
    """Return seconds and memory of each step, and what they made."""
    setups = [_cost(_set_up, folder / str(turn)) for turn in range(REPEATS)]
    model = ZkModel.load(folder / "0" / "digits.zk")
    proven = Proven(model, answered(model), folder / "proofs")
    first, other = proven.records
    answers = [_cost(_answer, model) for _ in range(REPEATS)]
    proofs = [_cost(_prove, folder / f"p{turn}", model, first) for turn in range(REPEATS)]
    checks = [_cost(_verify, folder / "p0", model, first) for _ in range(REPEATS)]
    for record in (first, other):
        proven.folder.prove(record, LIMITS)
    steps = {"set up": setups, "answer": answers, "prove and check": proofs, "verify": checks}
    figures = [one for name, costs in steps.items() for one in _least(name, costs)]
    return figures, proven


def on_chain(chain: Chain, proven: Proven, int8: Model) -> list[Figure]:
    """Return gas and bytes of proofs, and of running the model again."""
    with chain.isolated():
        spent = gas.of_ezkl(chain, gas.ezkl_place(chain, proven), proven)
        code = len(
            chain.w3.eth.get_code(
                chain.w3.to_checksum_address(create2_address(proven.model.creation))
            )
        )
    with chain.isolated():
        replayed, shown = _replay(chain, int8)
    one, two, eight = (spent[f"{count} leaves"].total for count in gas.COUNTS)
    further = (eight - one) / 7
    proof = len(proven.folder.get(proven.records[0]))
    leaf = spent["2 leaves"].calldata_bytes - spent["1 leaves"].calldata_bytes
    return [
        Figure("attest, 1 leaf", one, "gas", ceiling=gas.CEILING),
        Figure("attest, 2 leaves", two, "gas"),
        Figure("attest, 8 leaves", eight, "gas"),
        Figure("attest, each further leaf", further, "gas"),
        Figure("verifier alone", spent["verifier alone"].total, "gas"),
        Figure("proof", proof, "bytes"),
        Figure("evidence, each leaf", leaf, "bytes"),
        Figure("verifier's code", code, "bytes", ceiling=24_576),
        Figure("Replay, disprove one leaf", replayed, "gas"),
        Figure("Replay, its evidence", shown, "bytes"),
        Figure("attest of 1 leaf / Replay", one / replayed, "ratio"),
    ]


def _replay(chain: Chain, model: Model) -> tuple[int, int]:
    """Return the gas of a disproof of an answer by the int8 model, and its evidence's bytes."""
    owner, operator, prover = chain.accounts[1:4]
    replayed = found(chain, model, owner, operator)
    # Counters of losses, and the credit that pays the prover, are not new.
    first = replayed.network.commit(operator, count=2, shape=lambda leaves: leaves[::-1])
    fund(chain, bytes(20), prover, 10**6)
    chain.send(prover, "faultOrder", first.pre_image(), first.opening(0), first.opening(1))
    data = encode(model, _floats()[-1:])[0].tobytes()
    batch = replayed.commit(operator, data, bytes(model.steps[-1].out_size))
    proof = evidence(model, replayed.network.id, owner, ZERO32, data)
    return replayed.disprove(prover, batch, proof).gas_used, len(proof)


def _floats() -> np.ndarray:
    return images().astype(np.float32)


def main() -> None:
    with tempfile.TemporaryDirectory() as named, localnet(timestamp=GENESIS) as w3:
        folder = Path(named)
        steps, proven = off_chain(folder)
        source = onnx.load(folder / "0" / "mlp.onnx")
        int8 = import_onnx(quantize(source, _floats()[:256], Types.U8U8), _floats()[:256])
        figures = on_chain(Chain(w3), proven, int8)
    tell(f"zk proofs of the digits MLP by EZKL, {int8.macs:,} MAC", [*steps, *figures])


if __name__ == "__main__":
    main()
