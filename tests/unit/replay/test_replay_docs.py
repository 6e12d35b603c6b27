"""docs/replay.md: its vectors are what the package computes. The engine needs no onnxruntime."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from tallystick.replay.engine import Engine
from tallystick.replay.model import Model
from tallystick.replay.step import Step
from tallystick.replay.trace import trace_root
from tests.support import qi8

PAGE = Path("docs/replay.md")


def vectors() -> tuple[list[bytes], dict[str, bytes]]:
    """Return the records and the other values of the page's "Vectors"."""
    page = PAGE.read_text().split("### Vectors")[1].split("\n## ")[0]
    found = [(name, bytes.fromhex(v)) for name, v in re.findall(r"\| (.+?) \| `(.+?)` \|", page)]
    records = [value for _, value in found if len(value) == 40]
    return records, {name: value for name, value in found if len(value) != 40}


def test_vectors__of_the_page__are_computed():
    records, found = vectors()
    words = ([record[at : at + 2] for at in range(0, 40, 2)] for record in records)
    steps = [Step.unpack(b"".join(bytes(30) + word for word in record)) for record in words]
    model = Model(tuple(steps), found["rows"])
    tensors = [value for name, value in found.items() if name.startswith("tensor")]
    model.check()

    traced = Engine(model).trace(np.frombuffer(tensors[0], np.uint8)[None])

    assert len({step.kind for step in model.steps}) == 5
    assert [tensor.tobytes() for tensor in traced] == tensors
    assert qi8.run(model.to_bytes(), tensors[0]) == tensors
    assert model.content_hash() == found["contentHash"]
    assert trace_root(tensors) == found["traceRoot"]


def test_import__engine_model_and_trace__need_neither_onnx_nor_its_runtime():
    code = (
        "import sys, tallystick.replay.engine, tallystick.replay.trace, tallystick.replay.client\n"
        "print(sorted({'onnx', 'onnxruntime', 'ape', 'web3'} & set(sys.modules)))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert loaded.stdout.decode().strip() == "[]"
