"""Golden hashes: of each class of kernels, and of a second build."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tallystick.llm.engine.errors import EngineError, SelfTestError
from tallystick.llm.engine.library import Library, default_folder
from tallystick.llm.engine.model import Model
from tallystick.llm.engine.release import GOLDENS, PINNED, SECOND, Kernel
from tallystick.llm.engine.self_test import logits_hash, self_test
from tests.llm.engine.other_process import hash_elsewhere

SHORT = 160


def avx512() -> bool:
    flags = Path("/proc/cpuinfo").read_text().split()
    return {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"} <= set(flags)


@pytest.mark.skipif(not avx512(), reason="this machine has no AVX-512")
def test_logits_hash__avx512__is_its_golden_hash(smollm2: Path) -> None:
    found = hash_elsewhere(PINNED, default_folder(), Kernel.AVX512, smollm2, 2048)

    assert found == GOLDENS[Kernel.AVX512]


def test_logits_hash__second_build__is_the_same_in_the_same_class(
    model: Model, smollm2: Path
) -> None:
    package = find_spec("xllamacpp")
    assert package and package.origin, "run this by `make test-llm`"

    found = hash_elsewhere(SECOND, Path(package.origin).parent, Kernel.AVX2, smollm2, SHORT)

    assert found == logits_hash(model, SHORT).hex()


def test_self_test__hash_of_another_class__refuses_to_speak(model: Model) -> None:
    with pytest.raises(SelfTestError, match="by avx2 kernels.* this engine must not answer"):
        self_test(model, bytes.fromhex(GOLDENS[Kernel.AVX512]), SHORT)


def test_logits_hash__without_flash_attention__refuses_what_depends_on_the_way(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.llm.engine.context._ON", 0)

    with pytest.raises(SelfTestError, match="logits depend on how they are computed"):
        logits_hash(model, SHORT)


def test_open__second_class_in_one_process__is_refused(library: Library) -> None:
    with pytest.raises(EngineError, match="avx512 of .* needs a process of its own"):
        Library.open(Kernel.AVX512)
    assert Library.open(Kernel.AVX2) is library
