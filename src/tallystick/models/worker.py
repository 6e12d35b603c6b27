"""Runs an ONNX file in a process of its own; started as a script, by any Python that has numpy.

It imports nothing of this package, so that another environment, with another onnxruntime, can run
it. The one argument is a JSON file, see tallystick.models.apart; it prints one JSON object.
"""

import json
import sys
from typing import Any

import numpy as np


def main(path: str) -> "dict[str, str]":
    """Run a job, and return what ran it."""
    with open(path) as file:
        job = json.load(file)
    given = np.load(job["feeds"], allow_pickle=False)
    run, version = _engine(job)
    answers: dict[str, Any] = {}
    count, together = job["count"], job["together"]
    for start in range(0, count, together):
        part = range(start, min(start + together, count))
        feeds = [_feed(given, place, job["inputs"]) for place in part]
        for place, outputs in zip(part, _answers(run, feeds, job["inputs"]), strict=True):
            for number, output in enumerate(outputs):
                _keep(answers, f"{place}.{number}", output)
    np.savez(job["answers"], **answers)
    return {"version": version}


def _engine(job: Any) -> "tuple[Any, str]":
    if job["engine"] == "reference":
        import onnx
        from onnx.reference import ReferenceEvaluator

        evaluator = ReferenceEvaluator(job["model"])
        return lambda feed: evaluator.run(job["outputs"], feed), f"onnx {onnx.__version__}"
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(
        onnxruntime.GraphOptimizationLevel, "ORT_" + job["level"]
    )
    options.intra_op_num_threads = job["threads"]
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = job["arena"]
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        job["model"], options, providers=["CPUExecutionProvider"]
    )
    return lambda feed: session.run(job["outputs"], feed), onnxruntime.__version__


def _feed(given: Any, place: int, names: "list[str]") -> "dict[str, Any]":
    feed = {}
    for number, name in enumerate(names):
        value = given[f"{place}.{number}"]
        feed[name] = value.astype(object) if value.dtype.kind == "U" else value
    return feed


def _answers(run: Any, feeds: "list[Any]", names: "list[str]") -> "list[Any]":
    if len(feeds) == 1:
        return [run(feeds[0])]
    stacked = {name: np.concatenate([feed[name] for feed in feeds]) for name in names}
    outputs = run(stacked)
    if any(len(output) != len(feeds) for output in outputs):
        raise ValueError("an output has no row for each input")
    return [[output[row : row + 1] for output in outputs] for row in range(len(feeds))]


def _keep(answers: "dict[str, Any]", key: str, output: Any) -> None:
    if not isinstance(output, list):
        values = np.asarray(output)
        answers[key] = values.astype(str) if values.dtype.kind == "O" else values
        return
    # A classifier's maps, which have the type of their first value.
    answers[key + ".sizes"] = np.array([len(one) for one in output], np.int64)
    answers[key + ".keys"] = np.array([name for one in output for name in one])
    answers[key + ".values"] = np.array([value for one in output for value in one.values()])


if __name__ == "__main__":
    try:
        told = main(sys.argv[1])
    except Exception as error:
        told = {"error": " ".join(str(error).split()) or type(error).__name__}
    print(json.dumps(told))
