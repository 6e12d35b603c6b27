"""tallystick model calibrate: thresholds of a model's spec, measured."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tallystick.cli.bars import bar
from tallystick.cli.chain import json_option
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.output import show
from tallystick.cli.params import FILE


@click.command(
    cls=ConsoleCommand,
    example="tallystick model calibrate digits.onnx own.txt --samples samples.npy",
)
@click.argument("file", type=FILE)
@click.argument("spec", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--samples",
    type=FILE,
    required=True,
    help="Real inputs: .npy of one input, .npz of several; the first axis counts samples.",
)
@click.option("--size", "sizes", multiple=True, metavar="NAME=N", help="Fix a free size.")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="'PLACE RULE'",
    help="Compare an output by: argmax, topk K, label OUTPUT, allclose, allclose RTOL ATOL, same.",
)
@click.option(
    "--python",
    "pythons",
    multiple=True,
    help="Another onnxruntime: a Python, or the folder of its environment. Repeatable.",
)
@json_option
def calibrate(
    file: Path,
    spec: Path,
    samples: Path,
    sizes: tuple[str, ...],
    outputs: tuple[str, ...],
    pythons: tuple[str, ...],
    as_json: bool,
) -> None:
    """Measure FILE, an ONNX model, under other kernels, and write SPEC with thresholds above that.

    Each kernel runs SAMPLES in a process of its own; an integer graph needs none of it. What was
    measured is kept in SPEC.json, whose counts are no part of the spec; a command that was cut off
    goes on from there. Many inferences together are measured too, though no node runs so. Needs no
    chain.
    """
    from tallystick.errors import FieldError
    from tallystick.models.calibration import Calibration, kernels, usual_rules
    from tallystick.models.graph import load
    from tallystick.models.integer import not_integer
    from tallystick.models.runner import OnnxModel
    from tallystick.models.samples import read_samples
    from tallystick.models.spec import OnnxSpec, SpecError
    from tallystick.protocol.keccak import keccak256
    from tallystick.storage.durable import replace_file
    from tallystick.storage.models.content import content_hash

    fixed = _pairs(sizes)
    model = OnnxModel(file, fixed)
    inputs = read_samples(samples, model.graph)
    own = model.infer(inputs)
    if not outputs and not_integer(load(file)) is None:
        written = OnnxSpec(sizes=fixed)
        replace_file(spec, written.text.encode())
        lines = written.text.splitlines()
        reason = "the graph is integer: its bytes are the same on every machine"
        told = {"spec": str(spec), "spec_hash": written.hash, "lines": lines, "reason": reason}
        show(told, as_json)
        return
    rules = usual_rules(model.graph, own, _places(outputs))
    try:
        calibration = Calibration(file, model.graph, inputs, own, rules)
    except SpecError as error:
        raise FieldError("output", str(error), "a comparison that suits it") from error
    key = {
        "content_hash": content_hash(file).hex(),
        "samples": keccak256(b"".join(keccak256(one) for one in inputs)).hex(),
        "rules": [str(one) for one in rules],
        "sizes": fixed,
    }
    kept = _Kept(spec.with_name(f"{spec.name}.json"), key)
    measured, todo = [], kernels(model.graph, pythons)
    with bar("calibrate (kernels)") as progress:
        for done, kernel in enumerate(todo):
            progress(done, len(todo))
            found = kept.find(str(kernel))
            measured.append(found or calibration.measure(kernel))
            kept.note(measured[-1])
    if not any(one.reach for one in measured):
        raise CommandError(f"no other kernel runs the model: {measured[0].error}")
    written = OnnxSpec(calibration.thresholds(measured), fixed)
    replace_file(spec, written.text.encode())
    rows: list[dict[str, Any]] = [
        {
            "kernel": one.kernel,
            "version": one.version or None,
            "answers": len(one.distances),
            "other_bytes": one.differ,
            "largest": [max(column) for column in zip(*one.distances, strict=True)],
            **calibration.verdicts(written, one),
            "not_run": one.error or None,
        }
        for one in measured
    ]
    kept.close({"spec": written.text, "spec_hash": written.hash, "kernels": rows})
    apart, of = calibration.told_apart(written)
    facts: dict[str, Any] = {
        "spec": str(spec),
        "spec_hash": written.hash,
        "lines": written.text.splitlines(),
        "samples": len(inputs),
        "kernels": sum(not one.error for one in measured),
        "answers": sum(row["answers"] for row in rows),
        "wrong": sum(row["wrong"] for row in rows),
        "other_samples_answers_that_are_wrong": f"{apart} of {of}",
    }
    show({**facts, "measured": _finite(rows)} if as_json else facts, as_json)
    if not as_json:
        show([_line(row) for row in rows], False)


class _Kept:
    """Measurements so far, in a file beside the spec.

    Args:
        path: the file's; one of another model, samples or rules is begun anew.
        key: by which it is known.
    """

    def __init__(self, path: Path, key: Mapping[str, Any]) -> None:
        self._path, self._key = path, dict(key)
        self._measured: dict[str, Any] = {}
        try:
            found = json.loads(path.read_text())
            if found["key"] == self._key:
                self._measured = found["measured"]
        except (OSError, ValueError, KeyError, TypeError):
            return

    def find(self, kernel: str) -> Any:
        """Return what a kernel gave; None: it was not measured, or could not be run."""
        from tallystick.models.calibration import Measured

        row = self._measured.get(kernel)
        if row is None or row["error"]:
            return None
        distances = tuple(
            tuple(math.inf if one is None else one for one in answer) for answer in row["distances"]
        )
        return Measured(**{**row, "distances": distances, "reach": tuple(row["reach"])})

    def note(self, one: Any) -> None:
        """Keep what a kernel gave."""
        self._measured[one.kernel] = _finite(asdict(one))
        self.close({})

    def close(self, told: Mapping[str, Any]) -> None:
        """Write the file."""
        from tallystick.cli.output import plain
        from tallystick.storage.durable import replace_file

        content = {"key": self._key, **plain(_finite(told)), "measured": self._measured}
        replace_file(self._path, json.dumps(content, indent=1, allow_nan=False).encode() + b"\n")


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kernel": row["kernel"],
        "version": row["version"],
        "other bytes": f"{row['other_bytes']} of {row['answers']}",
        "largest": " ".join(f"{one:.3g}" for one in row["largest"]),
        "verdicts": f"{row['good']} good, {row['doubtful']} doubtful, {row['wrong']} wrong",
        "not run": row["not_run"],
    }


def _finite(value: Any) -> Any:
    """Return a value as JSON can have it: None in place of what is infinite."""
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _pairs(sizes: Sequence[str]) -> dict[str, int]:
    found = {}
    for one in sizes:
        name, _, count = one.rpartition("=")
        if not name or not count.isdecimal() or not int(count):
            raise CommandError(f"--size {one}: needed: NAME=N, N above 0")
        found[name] = int(count)
    return found


def _places(outputs: Sequence[str]) -> dict[int, str]:
    found = {}
    for one in outputs:
        place, _, rule = one.strip().partition(" ")
        if not place.isdecimal() or not rule.strip():
            raise CommandError(f"--output {one!r}: needed: a place and a rule, such as '0 argmax'")
        found[int(place)] = rule
    return found
