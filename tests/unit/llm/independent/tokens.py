"""Tokens and margins in fractions, one token after another."""

from fractions import Fraction
from typing import Any

from tests.unit.llm.independent.gumbel import gumbel, log_floor, seed, word

_SEED = seed(b"m" * 32, b"i" * 32, b"r" * 20, 7)
_UNIT = Fraction(1, 2**20)


def fixed(logit: str) -> int:
    """Return Z of a logit that is written as a fraction, or as inf, -inf or nan."""
    if logit in ("nan", "-inf"):
        return -(2**40)
    if logit == "inf":
        return 2**40
    scaled = Fraction(logit) / _UNIT
    below, rest = divmod(scaled, 1)
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2)
    return max(-(2**40), min(2**40, int(below) + int(up)))


def judged(logits: list[str], t: int, p: int, step: int) -> dict[str, Any]:
    """Return Z, F, the rule's token and each token's margin."""
    z = [fixed(one) for one in logits]
    noise = [gumbel(word(_SEED, step, token)) for token in range(len(z))]
    scores = [1000 * value + t * noise[token] for token, value in enumerate(z)]
    floor = 1000 * max(z) + t * log_floor(p)
    chosen = None
    for token, value in enumerate(z):
        if 1000 * value >= floor and (chosen is None or scores[token] > scores[chosen]):
            chosen = token
    margins = [
        max(
            0,
            floor - 1000 * z[claimed],
            *(
                min(scores[other] - scores[claimed], 1000 * z[other] - floor)
                for other in range(len(z))
            ),
        )
        for claimed in range(len(z))
    ]
    return {"Z": z, "F": floor, "token": chosen, "margins": margins}


_CASES: list[tuple[str, list[str], int, int]] = [
    ("the greatest at t = 0", ["1", "5/2", "2"], 0, 1),
    ("the lowest of equal ones at t = 0", ["1", "2", "2", "0"], 0, 500),
    ("halves to even, up and down", ["1/2097152", "3/2097152", "-1/2097152", "-3/2097152"], 0, 1),
    ("logits that differ by less than a unit are equal", ["1", "4194305/4194304", "1"], 0, 1),
    ("NaN is the least, and equals the clamp", ["nan", "-inf", "-1048576", "-1048575"], 1000, 1),
    ("nothing but NaN: noise decides", ["nan", "nan", "nan", "nan"], 1000, 1),
    ("infinities are clamped", ["inf", "2000000", "1048576", "0"], 1000, 1),
    ("t = 1, p = 1", ["3", "2", "1", "0", "-1", "-2", "-9", "3", "2", "1"], 1000, 1),
    ("t = 2, p = 1: below the floor", ["14", "1", "0", "1/2", "3/8"], 2000, 1),
    ("p = 1000: only those that equal the greatest", ["2", "3", "3", "5/2", "3"], 700, 1000),
    ("p = 50 at t = .8", ["4", "3", "5/2", "1", "13/8", "0", "7/2", "15/4"], 800, 50),
]


def vectors() -> list[dict[str, Any]]:
    """Return steps with the answers of the rule."""
    found: list[dict[str, Any]] = [
        {
            "name": f"{name}, step {step}",
            "seed": _SEED.hex(),
            "logits": logits,
            "t": t,
            "p": p,
            "step": step,
            **judged(logits, t, p, step),
        }
        for name, logits, t, p in _CASES
        for step in (0, 5)
    ]
    found += [_at_floor(offset) for offset in (-1, 0, 1)]
    return found


def _at_floor(offset: int) -> dict[str, Any]:
    """Return a step whose second token is a unit below, at or above the floor."""
    # t = 1000: 1000 Z is at F where Z is 2^20 z + L.
    second = str(Fraction(log_floor(500) + offset, 2**20))
    logits = ["0", second]
    where = {-1: "below", 0: "at", 1: "above"}[offset]
    return {
        "name": f"a token {where} the floor",
        "seed": _SEED.hex(),
        "logits": logits,
        "t": 1000,
        "p": 500,
        "step": 2,
        **judged(logits, 1000, 500, 2),
    }
