"""The real model, by the library and the kernels that every machine of the tests can run."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.llm.engine.library import Library
from tallystick.llm.engine.model import Model
from tallystick.llm.engine.release import Kernel
from tallystick.llm.engine.self_test import SMOLLM2
from tests.llm.model_file import SMOLLM2_FILE


@pytest.fixture(scope="session")
def smollm2() -> Path:
    with SMOLLM2_FILE.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == SMOLLM2
    return SMOLLM2_FILE


@pytest.fixture(scope="session")
def library() -> Library:
    return Library.open(Kernel.AVX2)


@pytest.fixture(scope="session")
def model(library: Library, smollm2: Path) -> Iterator[Model]:
    with Model.open(library, smollm2) as loaded:
        yield loaded
