"""The kinds of specs, by their text: whether equal bytes decide, or a tolerance."""

from enum import StrEnum

_TITLES = ("tallystick ONNX-1", "tallystick LLM-1")
_KEYS = ("comparison", "kind")
_EXACT = frozenset({b"QI8-1", b"QI8-1T"})


class SpecKind(StrEnum):
    """The kinds; an audit under a tolerance says less than one under equal bytes."""

    EXACT = "exact"
    TOLERANCE = "tolerance"
    OWN = "in words of its own"


def kind_of(text: bytes) -> SpecKind:
    """Return the kind of a spec's text; the text need not be a valid one.

    >>> kind_of(b"tallystick ONNX-1\\ncomparison exact\\n").value
    'exact'
    >>> kind_of(b"ten digits").value
    'in words of its own'
    """
    if text in _EXACT:
        return SpecKind.EXACT
    lines = text.decode(errors="replace").split("\n")
    if lines[0] not in _TITLES:
        return SpecKind.OWN
    for line in lines[1:]:
        key, _, value = line.partition(" ")
        if key in _KEYS:
            return SpecKind.TOLERANCE if value == "tolerance" else SpecKind.EXACT
    return SpecKind.OWN
