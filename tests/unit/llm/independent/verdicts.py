"""Verdicts at each bound, with square roots of 80 digits."""

from typing import Any

from mpmath import mp, mpf, sqrt

mp.dps = 80

_UNIT = 2**20
_LOGIT = 1000 * _UNIT
_DRAFT = (5, 250, 40, 400, 1500, 3000)


def _bound(a: int, b: int, count: int) -> Any:
    return (mpf(a) + mpf(b) / sqrt(mpf(count))) / 1000


def _within(
    total: int, largest: int, count: int, a: int, b: int, x: Any, half: bool = False
) -> bool:
    scale = 2 if half else 1
    if mpf(largest) / _LOGIT > mpf(x) / 1000 / scale:
        return False
    return count < 32 or mpf(total) / count / _LOGIT <= _bound(a, b, count) / scale


def answer(count: int, total: int, largest: int) -> str:
    """Return the verdict on an answer under the draft's thresholds."""
    a1, b1, a2, b2, x1, x2 = _DRAFT
    if not _within(total, largest, count, a2, b2, x2):
        return "wrong"
    return "good" if _within(total, largest, count, a1, b1, x1) else "doubtful"


def batch(leaves: list[tuple[int, int, int]]) -> str:
    """Return the verdict on a batch's drawn leaves."""
    a1, b1, a2, b2, x1, x2 = _DRAFT
    verdicts = [answer(*one) for one in leaves]
    if "wrong" in verdicts:
        return "wrong"
    doubtful = [one for one, verdict in zip(leaves, verdicts, strict=True) if verdict == "doubtful"]
    count, total = sum(one[0] for one in leaves), sum(one[1] for one in leaves)
    if len(doubtful) > max(1, mpf(len(leaves)) / 32):
        return "doubtful"
    if count >= 32 and mpf(total) / count / _LOGIT > _bound(a1, b1, count):
        return "doubtful"
    for tokens, margins, largest in doubtful:
        if not _within(margins, largest, tokens, a1 + a2, b1 + b2, x1 + x2, half=True):
            return "doubtful"
    return "good"


def _most(count: int, a: int, b: int, scale: int = 1) -> int:
    """Return the greatest sum of margins that is within a bound."""
    return int(mp.floor(_bound(a, b, count) / scale * count * _LOGIT))


def vectors() -> dict[str, Any]:
    """Return answers and batches around each bound."""
    cases = []
    for count in (31, 32, 64, 100, 511):
        for a, b in ((5, 250), (40, 400)):
            for offset in (0, 1):
                cases.append((count, _most(count, a, b) + offset, 1500 * _UNIT))
        for x in (1500, 3000):
            cases += [(count, 0, x * _UNIT), (count, 0, x * _UNIT + 1)]
    good, small = (64, 0, 0), (3, _LOGIT, _LOGIT)
    half = _most(64, 45, 650, scale=2)
    doubt, much = (64, half, 0), (64, half + 1, 0)
    high, higher = (64, 0, 2250 * _UNIT), (64, 0, 2250 * _UNIT + 1)
    pooled = _most(64 * 8, 5, 250)
    batches = [
        [good] * 8,
        [*[good] * 31, doubt],
        [*[good] * 31, much],
        [*[good] * 31, high],
        [*[good] * 31, higher],
        [*[good] * 30, high, high],
        [*[good] * 62, high, high],
        [*[good] * 61, high, high, high],
        [*[good] * 31, (64, 0, 3000 * _UNIT + 1)],
        [*[(64, pooled // 8, 0)] * 7, (64, pooled - 7 * (pooled // 8), 0)],
        [*[(64, pooled // 8, 0)] * 7, (64, pooled - 7 * (pooled // 8) + 1, 0)],
        [small] * 10,
        [small] * 11,
        [doubt],
    ]
    return {
        "thresholds": list(_DRAFT),
        "answers": [
            {"tokens": n, "total": total, "largest": largest, "verdict": answer(n, total, largest)}
            for n, total, largest in cases
        ],
        "batches": [{"leaves": one, "verdict": batch(one)} for one in batches],
    }
