"""The replay package's engine needs no onnxruntime."""

import subprocess
import sys


def test_import__engine_model_and_trace__need_neither_onnx_nor_its_runtime():
    code = (
        "import sys, tallystick.replay.engine, tallystick.replay.trace, tallystick.replay.client\n"
        "print(sorted({'onnx', 'onnxruntime', 'ape', 'web3'} & set(sys.modules)))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert loaded.stdout.decode().strip() == "[]"
