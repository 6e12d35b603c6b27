"""What gives a second opinion on language models' answers, and what doesn't."""

from pathlib import Path

import pytest

from tallystick.errors import FieldError
from tallystick.llm.engine.release import PINNED, SECOND, Kernel
from tallystick.llm.opening import exact_profile
from tallystick.llm.second_runtime import second_runtime
from tallystick.llm.spec import Spec
from tallystick.llm.verdicts import DRAFT

TOLERANCE = Spec(context=512, tokens=64, comparison=DRAFT)
EXACT = Spec(context=512, tokens=64, comparison=exact_profile(Kernel.AVX2))


def test_second_runtime__tolerance__another_class_of_kernels() -> None:
    found = second_runtime(TOLERANCE, Kernel.AVX2, "avx512")
    assert found is not None
    assert (found.kernel, found.release) == (Kernel.AVX512, PINNED)
    other = second_runtime(TOLERANCE, Kernel.AVX512, "/builds")
    assert other is not None and other.release is SECOND and other.folder == Path("/builds")


def test_second_runtime__exact__another_build() -> None:
    found = second_runtime(EXACT, Kernel.AVX2, "/builds")
    assert found is not None
    assert (found.kernel, found.release, found.folder) == (Kernel.AVX2, SECOND, Path("/builds"))


@pytest.mark.parametrize(
    ("spec", "first", "setting"),
    [
        (TOLERANCE, Kernel.AVX2, "avx2"),
        (TOLERANCE, Kernel.AVX2, "/builds"),
        (EXACT, Kernel.AVX2, "avx512"),
        (EXACT, Kernel.AVX2, "avx2"),
        (EXACT, Kernel.AVX512, "/builds"),
    ],
)
def test_second_runtime__no_second_opinion__is_refused(
    spec: Spec, first: Kernel, setting: str
) -> None:
    with pytest.raises(FieldError, match=r"second is .*; needed: "):
        second_runtime(spec, first, setting)


def test_second_runtime__exact_avx512__there_is_none() -> None:
    assert second_runtime(EXACT, Kernel.AVX512, "") is None
