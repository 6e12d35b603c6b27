"""Print how fast the QI8-1 engine is beside onnxruntime, and how long imports and traces take.

`python -m tests.bench.replay`; JSON=1 for objects. Both on one thread, on the same quantized model
and the same bytes, whose answers must be equal. An import is told with its self-test. A trace is
what a side of a replay game has: all tensors of one inference, and their trees.
"""

import json
import os
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import onnx
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from tallystick.replay.client import encode
from tallystick.replay.engine import Engine
from tallystick.replay.game import GameTrace
from tallystick.replay.importer import import_onnx
from tallystick.replay.quantize import Types, quantize
from tallystick.replay.runtime import session
from tests.bench.figures import Figure, tell
from tests.support.mobilenet import mobilenet
from tests.support.nets import cnn, deep_cnn, digits, lenet, mlp, wide_mlp

NETS: dict[str, tuple[Callable[[], onnx.ModelProto], tuple[int, ...], int]] = {
    "digits MLP": (mlp, (1, 8, 8), 1797),
    "digits CNN": (cnn, (1, 8, 8), 1797),
    "MLP 784-128-10": (wide_mlp, (1, 28, 28), 1024),
    "LeNet-5": (lenet, (1, 28, 28), 256),
    "CNN 32x32, 6 layers": (deep_cnn, (3, 32, 32), 16),
}
REPEATS = 7
SAMPLES = 256
"""Real inputs that an import is tried on."""


def rate(run: Callable[[], Any], count: int) -> float:
    """Return inferences a second, the best of several runs."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return count / min(times)


def measure() -> tuple[list[dict[str, Any]], list[Figure]]:
    """Return a row for each network and batch, and the seconds of each network's import."""
    rows, imports = [], []
    for name, (net, shape, count) in NETS.items():
        if shape == (1, 8, 8):
            inputs = digits()[:count]
        else:
            inputs = np.random.default_rng(1).random((count, *shape), np.float32)
        source = quantize(net(), inputs[:32], Types.U8U8)
        start = perf_counter()
        model = import_onnx(source, inputs[:SAMPLES])
        imports.append(Figure(f"{name}, import", perf_counter() - start, "s"))
        engine, runtime = Engine(model), session(source)
        stored, feed = encode(model, inputs), source.graph.input[0].name
        for batch in (count, 1):
            parts = [stored[at : at + batch] for at in range(0, min(count, 64 * batch), batch)]
            floats = [inputs[at : at + batch] for at in range(0, min(count, 64 * batch), batch)]
            done = sum(map(len, parts))
            ours = rate(lambda e=engine, p=parts: [e.run(one) for one in p], done)
            theirs = rate(
                lambda r=runtime, f=feed, p=floats: [r.run(None, {f: one}) for one in p], done
            )
            rows.append(
                {
                    "name": f"{name}, batch {batch}",
                    "value": round(ours),
                    "unit": "inferences/s",
                    "onnxruntime": round(theirs),
                    "ratio": round(ours / theirs, 3),
                    "macs": model.macs,
                }
            )
    return rows, imports


def traces() -> list[Figure]:
    """Return how long traces of single inputs take beside plain runs of an engine made before."""
    inputs = np.random.default_rng(1).random((32, 3, 32, 32), np.float32)
    deep = import_onnx(quantize(deep_cnn(), inputs, Types.U8U8), inputs, count=4)
    figures = []
    for name, model in (("CNN 32x32, 6 layers", deep), ("MobileNet 0.25, 128x128", mobilenet())):
        engine = Engine(model)
        data = np.random.default_rng(2).bytes(model.steps[0].in_size)
        given = np.frombuffer(data, np.uint8)[None]
        answer = engine.run(given)[0].tobytes()
        assert GameTrace.of(model, data).trees[-1].data == answer, name
        plain = 1 / rate(lambda e=engine, g=given: e.run(g), 1)
        traced = 1 / rate(lambda m=model, d=data: GameTrace.of(m, d), 1)
        figures += [
            Figure(f"{name}, run", plain * 1000, "ms"),
            Figure(f"{name}, trace", traced * 1000, "ms"),
            Figure(f"{name}, trace / run", traced / plain, "times"),
        ]
    return figures


def main() -> None:
    with threadpool_limits(limits=1):
        rows, imports = measure()
        traced = traces()
    if os.environ.get("JSON") == "1":
        for row in rows:
            print(json.dumps(row))
        tell("", [*imports, *traced])
        return
    table = Table(title="QI8-1 engine beside onnxruntime, one thread each, inferences a second")
    for column in ("network", "MAC", "engine", "onnxruntime", "engine / onnxruntime"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for row in rows:
        table.add_row(
            row["name"],
            f"{row['macs']:,}",
            f"{row['value']:,}",
            f"{row['onnxruntime']:,}",
            f"{row['ratio']:.2f}",
        )
    Console(width=100).print(table)
    tell(f"Import, tried on up to {SAMPLES} samples, and as many random inputs", imports)
    tell("Traces for a replay game, one input, beside a plain run", traced)


if __name__ == "__main__":
    main()
