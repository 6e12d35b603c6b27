"""Spec texts as they are written by hand, and their hashes."""

from typing import Any

from tests.unit.llm.independent.keccak import keccak256

_HEAD = "tallystick LLM-1\nkind {kind}\nrenderer hf-jinja-1\ncontext {context}\ntokens {tokens}\n"
TOLERANCE = (
    _HEAD.format(kind="tolerance", context=2048, tokens=512)
    + "m1 5 250\nm2 40 400\nx1 1500\nx2 3000\n"
)
EXACT = (
    _HEAD.format(kind="exact", context=4096, tokens=1024)
    + "".join(f"runtime {digit * 64}\n" for digit in "1234")
    + f"golden {'5' * 64}\n"
)
_REFUSED = {
    "empty": "",
    "without the last line feed": TOLERANCE[:-1],
    "with a line more": TOLERANCE + "\n",
    "carriage returns": TOLERANCE.replace("\n", "\r\n"),
    "keys in another order": TOLERANCE.replace(
        "context 2048\ntokens 512", "tokens 512\ncontext 2048"
    ),
    "two spaces": TOLERANCE.replace("m1 5", "m1  5"),
    "a leading zero": TOLERANCE.replace("x1 1500", "x1 01500"),
    "a fraction": TOLERANCE.replace("x1 1500", "x1 1.5"),
    "another kind": TOLERANCE.replace("tolerance", "loose"),
    "another renderer": TOLERANCE.replace("hf-jinja-1", "hf-jinja-2"),
    "bounds the wrong way round": TOLERANCE.replace("x1 1500", "x1 3001"),
    "three libraries": EXACT.replace(f"runtime {'4' * 64}\n", ""),
    "five libraries": EXACT.replace("golden", f"runtime {'6' * 64}\ngolden"),
    "a hash in upper case": EXACT.replace("5" * 64, "A" * 64),
    "a tolerance in an exact one": EXACT + "x1 1500\n",
    "no room for an answer": TOLERANCE.replace("context 2048", "context 1"),
    "no tokens": TOLERANCE.replace("tokens 512", "tokens 0"),
    "digits of another script": TOLERANCE.replace("x2 3000", "x2 ३०००"),
}


def vectors() -> dict[str, Any]:
    """Return two specs, and texts that are none."""
    return {
        "specs": [
            {"text": text, "specHash": keccak256(text.encode()).hex()}
            for text in (TOLERANCE, EXACT)
        ],
        "refused": [{"name": name, "text": text} for name, text in _REFUSED.items()],
    }
