"""Examples in the replay package's docstrings run, and its engine needs no onnxruntime."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

from tallystick import replay

NAMES = tuple(module.name for module in pkgutil.iter_modules(replay.__path__))


@pytest.mark.parametrize("name", NAMES)
def test_doctest__module__examples_hold(name):
    module = importlib.import_module(f"tallystick.replay.{name}")

    assert doctest.testmod(module).failed == 0


def test_import__engine_model_and_trace__need_neither_onnx_nor_its_runtime():
    code = (
        "import sys, tallystick.replay.engine, tallystick.replay.trace, tallystick.replay.client\n"
        "print(sorted({'onnx', 'onnxruntime', 'ape', 'web3'} & set(sys.modules)))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert loaded.stdout.decode().strip() == "[]"
