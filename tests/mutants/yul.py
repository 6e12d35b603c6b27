"""Changes within assembly."""

from collections.abc import Iterator
from typing import Any

from tests.mutants.mutant import Edit

OTHER_CALLS = {
    "add": "sub",
    "sub": "add",
    "mul": "div",
    "div": "mul",
    "mod": "mul",
    "shl": "shr",
    "shr": "shl",
    "sar": "shr",
    "and": "or",
    "or": "and",
    "xor": "and",
    "lt": "gt",
    "gt": "lt",
    "slt": "sgt",
    "sgt": "slt",
    "eq": "xor",
    "signextend": "byte",
}

Change = tuple[Edit, tuple[int, int], str]


def changes(block: Any, text: bytes) -> Iterator[Change]:
    """Yield each change with the place that a switch takes, and whether that is a statement."""
    yield from _of(block, text, None)


def _of(node: Any, text: bytes, parent: Any) -> Iterator[Change]:
    kind = node["nodeType"]
    start, end = _span(node)
    if kind == "YulFunctionCall":
        name = node["functionName"]["name"]
        name_start, name_end = _span(node["functionName"])
        if name in OTHER_CALLS:
            # A switch computes both sides: a call in them is made twice, which hides its changes.
            how = "" if b"call(" in text[start:end] else "yul"
            yield Edit(name_start, name_end, OTHER_CALLS[name]), (start, end), how
    if kind == "YulLiteral" and node.get("kind") == "number" and parent != "YulCase":
        shown = text[start:end].decode()
        value = int(shown, 0)
        for other in (value + 1, value - 1):
            if 0 <= other < 2**256:
                new = hex(other) if shown.startswith("0x") else str(other)
                yield Edit(start, end, new), (start, end), "yul"
    if kind in ("YulExpressionStatement", "YulAssignment"):
        yield Edit(start, end, "{}"), (start, end), "yul statement"
    if kind == "YulIf":
        at, stop = _span(node["condition"])
        yield Edit(at, stop, f"iszero({text[at:stop].decode()})"), (at, stop), "yul"
    for key, value in node.items():
        if key in ("functionName", "nativeSrc"):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and str(one.get("nodeType", "")).startswith("Yul"):
                yield from _of(one, text, kind)


def _span(node: Any) -> tuple[int, int]:
    start, length, _ = map(int, node["src"].split(":"))
    return start, start + length
