"""A spec's kind is read off its text."""

import pytest

from tallystick.models.spec import OnnxSpec, Same
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.spec_kinds import SpecKind, kind_of
from tallystick.replay.model import SPEC_ID


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (OnnxSpec().text.encode(), SpecKind.EXACT),
        (OnnxSpec(sizes={"comparison tolerance": 3}).text.encode(), SpecKind.EXACT),
        (OnnxSpec((Same(),)).text.encode(), SpecKind.TOLERANCE),
        (b"QI8-1", SpecKind.EXACT),
        (b"ten digits\ncomparison exact\n", SpecKind.OWN),
        (b"tallystick ONNX-1\n", SpecKind.OWN),
        (b"\xff\xfe", SpecKind.OWN),
        (b"", SpecKind.OWN),
    ],
)
def test_kind_of__texts__by_title_and_comparison(text: bytes, kind: SpecKind) -> None:
    assert kind_of(text) is kind


def test_kind_of__qi8__is_the_text_of_its_spec_id() -> None:
    assert keccak256(b"QI8-1") == SPEC_ID
