"""Seed and noise by mpmath and a Keccak of its own, from the specification's text."""

from typing import Any

from mpmath import log, mp, mpf, nint

from tests.unit.llm.independent.keccak import keccak256

mp.dps = 80

NEAR_HALVES = (
    1071661794,
    2681612114,
    3406059015,
    350594628,
    1607850170,
    891825428,
    4250577726,
    3063156631,
    4037578024,
    2812341756,
    1338834621,
    3141284827,
)
"""Words whose G lies nearest to a half, of all 2^32: doubles err by as much."""


def seed(model_id: bytes, input_hash: bytes, requester: bytes, nonce: int) -> bytes:
    """Return the seed of an answer."""
    return keccak256(
        keccak256(b"LLM-1 seed")
        + model_id
        + input_hash
        + requester.rjust(32, b"\0")
        + nonce.to_bytes(32, "big")
    )


def word(of: bytes, step: int, token: int) -> int:
    """Return x of a token at a step."""
    block = keccak256(of + step.to_bytes(4, "big") + (token // 8).to_bytes(4, "big"))
    place = 4 * (token % 8)
    return int.from_bytes(block[place : place + 4], "big")


def gumbel(x: int) -> int:
    """Return G of a word."""
    return int(nint(-(mpf(2) ** 20) * log(-log(mpf(2 * x + 1) / mpf(2) ** 33))))


def log_floor(p: int) -> int:
    """Return L of min_p in thousandths."""
    return -int(nint(mpf(2) ** 20 * log(mpf(1000) / mpf(p))))


def vectors() -> dict[str, Any]:
    """Return seeds, words, G and L."""
    asked = [
        (bytes(32), bytes(32), bytes(20), 0),
        (bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 84)), 2**64 - 1),
    ]
    seeds = [
        {
            "modelId": model_id.hex(),
            "inputHash": input_hash.hex(),
            "requester": requester.hex(),
            "nonce": nonce,
            "seed": seed(model_id, input_hash, requester, nonce).hex(),
        }
        for model_id, input_hash, requester, nonce in asked
    ]
    places = [(0, 0), (0, 9), (1, 0), (63, 49151), (2**32 - 1, 7), (5, 262143)]
    words = [
        {"seed": one["seed"], "step": step, "token": token, "x": x, "G": gumbel(x)}
        for one in seeds
        for step, token in places
        for x in [word(bytes.fromhex(str(one["seed"])), step, token)]
    ]
    edges = [0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, *NEAR_HALVES]
    return {
        "seeds": seeds,
        "words": words,
        "G": [[x, gumbel(x)] for x in edges],
        "L": [log_floor(p) for p in range(1, 1001)],
    }
