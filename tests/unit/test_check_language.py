"""What a verifier refuses at its start: language models by which it could never judge."""

from pathlib import Path
from typing import Any

import pytest

from tallystick.errors import RunnerError
from tallystick.llm.engine.release import Kernel
from tallystick.llm.opening import exact_profile
from tallystick.llm.spec import Spec
from tallystick.llm.verdicts import DRAFT
from tallystick.node.settings import ModelSource
from tallystick.node.verifier.language import check_language
from tallystick.protocol.hexes import to_hex

TOLERANCE = Spec(context=512, tokens=64, comparison=DRAFT)
EXACT = Spec(context=512, tokens=64, comparison=exact_profile(Kernel.AVX512))


def source(folder: Path, text: str | None = TOLERANCE.text(), **changes: Any) -> ModelSource:
    spec = folder / "spec.txt"
    if text is not None:
        spec.write_text(text)
    fields = {"id": to_hex(bytes(32)), "runner": "llm", "spec": str(spec)} | changes
    return ModelSource.model_validate(fields)


def test_check_language__pulled_file_and_known_spec__passes(tmp_path: Path) -> None:
    check_language(source(tmp_path))
    check_language(source(tmp_path, EXACT.text()))
    check_language(source(tmp_path, kernel="avx512", second="avx2"))


@pytest.mark.parametrize(
    ("text", "changes", "reason"),
    [
        (None, {"spec": None}, "spec is missing; needed: the registered text"),
        (None, {}, "No such file"),
        ("", {}, "line 1 of the spec"),
        (TOLERANCE.text(), {"second": "avx2"}, "second is avx2"),
        (EXACT.text(), {"second": "avx2"}, "second is avx2"),
        (EXACT.text().replace("golden ", "golden 0")[:-2] + "\n", {}, "golden hash"),
    ],
)
def test_check_language__setting_that_cannot_work__is_refused_in_one_line(
    tmp_path: Path, text: str | None, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RunnerError, match="^runner llm cannot load ") as caught:
        check_language(source(tmp_path, text, **changes))
    assert reason in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\3\0\0\0" + b"\xff" * 16, b"\x08" * 99])
def test_check_language__hostile_file__is_refused_in_one_line(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(RunnerError, match="^runner llm cannot load ") as caught:
        check_language(source(tmp_path, file=str(file)))
    assert "\n" not in str(caught.value)
