"""The text ONNX-1 has one form, one hash, and is refused by its line in any other."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.models.spec import (
    AllClose,
    Label,
    OnnxSpec,
    Same,
    SpecError,
    Thresholds,
    TopK,
    is_onnx_spec,
)

GOLDEN = {
    "tallystick ONNX-1\ncomparison exact\n": OnnxSpec(),
    "tallystick ONNX-1\nsize 224 height\nsize 320 width\ncomparison tolerance\n"
    "output 0 argmax 0.001 0.01\n": OnnxSpec(
        (TopK(Thresholds(Decimal("0.001"), Decimal("0.01"))),), {"width": 320, "height": 224}
    ),
    "tallystick ONNX-1\ncomparison tolerance\noutput 0 label 1 0.00001 0.0001\n"
    "output 1 allclose 0.001 0.000001 1 4\noutput 2 topk 5 0 0\noutput 3 same\n": OnnxSpec(
        (
            Label(Thresholds(Decimal("1E-5"), Decimal("1E-4")), 1),
            AllClose(Thresholds(Decimal(1), Decimal(4)), Decimal("0.001"), Decimal("0.000001")),
            TopK(Thresholds(Decimal(0), Decimal(0)), 5),
            Same(),
        )
    ),
}
HASHES = ["25c081bce9ab10fb", "a31fc0189b514f64", "918489bd2ac30e03"]
numbers = st.decimals(0, 10**6, places=6).map(abs)
thresholds = st.tuples(numbers, numbers).map(lambda two: Thresholds(*sorted(two)))
rules = st.one_of(
    st.builds(AllClose, thresholds, numbers, numbers.filter(bool)),
    st.builds(TopK, thresholds, st.integers(1, 1000)),
    st.just(Same()),
)
names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
specs = st.builds(
    OnnxSpec,
    st.lists(rules, max_size=5).map(tuple),
    st.dictionaries(names, st.integers(1, 10**8), max_size=3),
)


@pytest.mark.parametrize("text", list(GOLDEN))
def test_text__golden__is_written_and_read(text: str) -> None:
    assert GOLDEN[text].text == text
    assert OnnxSpec.parse(text.encode()) == GOLDEN[text]


def test_hash__golden__is_what_the_page_says() -> None:
    found = [spec.hash.hex()[:16] for spec in GOLDEN.values()]
    assert found == HASHES


@given(specs)
def test_parse__any_spec__gives_it_back(spec: OnnxSpec) -> None:
    assert OnnxSpec.parse(spec.text.encode()) == spec


@given(st.binary(max_size=200) | specs.map(lambda one: one.text.encode()), st.data())
def test_parse__altered_text__is_refused_or_has_another_hash(
    text: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(text)))
    altered = text[:place] + data.draw(st.binary(min_size=1, max_size=2)) + text[place:]
    try:
        found = OnnxSpec.parse(altered)
    except SpecError as error:
        assert "\n" not in str(error)
    else:
        assert found.text.encode() == altered


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tallystick ONNX-1\ncomparison exact", "LF after each line"),
        ("tallystick ONNX-2\ncomparison exact\n", "needed: the line 'tallystick ONNX-1' first"),
        ("tallystick ONNX-1\r\ncomparison exact\r\n", "needed: the line"),
        ("tallystick ONNX-1\n", "no comparison"),
        ("tallystick ONNX-1\ncomparison tolerance\n", "no comparison"),
        ("tallystick ONNX-1\ncomparison exact\noutput 0 same\n", "line 3, 'output 0 same'"),
        ("tallystick ONNX-1\ncomparison exact\n\n", "line 3, '': no line"),
        ("tallystick ONNX-1\nsize 3 b\nsize 3 a\ncomparison exact\n", "sizes ascend by name"),
        ("tallystick ONNX-1\nsize 0 a\ncomparison exact\n", "at least 1"),
        ("tallystick ONNX-1\nsize 03 a\ncomparison exact\n", "'03'"),
        ("tallystick ONNX-1\ncomparison tolerance\noutput 1 same\n", "needed: output 0"),
        ("tallystick ONNX-1\ncomparison tolerance\noutput 0 argmax 2 1\n", "at most the wrong"),
        ("tallystick ONNX-1\ncomparison tolerance\noutput 0 argmax 0.10 1\n", "without end zeros"),
        ("tallystick ONNX-1\ncomparison tolerance\noutput 0 argmax 1e-3 1\n", "'1e-3'"),
        ("tallystick ONNX-1\ncomparison tolerance\noutput 0 argmax nan 1\n", "'nan'"),
        ("tallystick ONNX-1\ncomparison tolerance\noutput 0 topk 1 0 1\n", "at least 2"),
        ("tallystick ONNX-1\ncomparison tolerance\noutput 0 allclose 1 0 1 1\n", "atol above 0"),
        ("tallystick ONNX-1\ncomparison tolerance\noutput 0 label 0 1 1\n", "no other output 0"),
        ("tallystick ONNX-1\ncomparison tolerance\noutput 0 label 7 1 1\n", "no other output 7"),
    ],
)
def test_parse__another_text__is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        OnnxSpec.parse(text.encode())


def test_is_onnx_spec__texts__by_their_first_line() -> None:
    assert is_onnx_spec(OnnxSpec().text.encode())
    assert not is_onnx_spec(b"Tallystick digits 1\n")
