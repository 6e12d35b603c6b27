"""A model under both kinds of spec, a cheaper one, and second opinions on answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.demo.language.cheaper import write_quantized
from tallystick.llm.engine.release import SECOND, Kernel
from tallystick.llm.language_model import LanguageModel
from tallystick.llm.measuring_process import MeasuringProcess
from tallystick.llm.opening import exact_profile, open_model, template_of
from tallystick.llm.second_runtime import second_runtime
from tallystick.llm.spec import Spec
from tallystick.llm.verdicts import DRAFT
from tests.llm.model_file import SMOLLM2_FILE

TOLERANCE = Spec(context=512, tokens=64, comparison=DRAFT)
EXACT = Spec(context=512, tokens=64, comparison=exact_profile(Kernel.AVX2))


@pytest.fixture(scope="session")
def model() -> Iterator[LanguageModel]:
    with open_model(SMOLLM2_FILE, TOLERANCE, slots=1) as opened:
        yield opened


@pytest.fixture(scope="session")
def exact_model(model: LanguageModel) -> LanguageModel:
    """The same engine under the exact spec; tests of nodes have it tested first."""
    return LanguageModel(EXACT, model.engine, template_of(model.engine.vocabulary))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def cheap_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_quantized(SMOLLM2_FILE, tmp_path_factory.mktemp("cheap") / "SmolLM2.Q4_0.gguf")


@pytest.fixture(scope="session")
def cheap_model(cheap_file: Path) -> Iterator[LanguageModel]:
    with open_model(cheap_file, TOLERANCE, slots=1) as opened:
        yield opened


@pytest.fixture(scope="session")
def other_kernels() -> Iterator[MeasuringProcess]:
    """Of another class; none on a machine with AVX2 alone."""
    runtime = second_runtime(TOLERANCE, Kernel.AVX2, "")
    if runtime is None:
        pytest.skip("this machine runs one class of kernels")
    with MeasuringProcess(SMOLLM2_FILE, TOLERANCE.context, runtime) as started:
        yield started


@pytest.fixture(scope="session")
def other_build() -> Iterator[MeasuringProcess]:
    runtime = second_runtime(EXACT, Kernel.AVX2, "")
    assert runtime is not None and runtime.release is SECOND
    with MeasuringProcess(SMOLLM2_FILE, EXACT.context, runtime) as started:
        yield started
