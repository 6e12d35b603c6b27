"""Answers: where they end, their text by a table of well-formed UTF-8, their output's bytes."""

from typing import Any

from tests.unit.llm.independent.keccak import keccak256

# Table 3-7 of the Unicode Standard: ranges of each byte of well-formed sequences.
_WELL_FORMED = [
    [(0x00, 0x7F)],
    [(0xC2, 0xDF), (0x80, 0xBF)],
    [(0xE0, 0xE0), (0xA0, 0xBF), (0x80, 0xBF)],
    [(0xE1, 0xEC), (0x80, 0xBF), (0x80, 0xBF)],
    [(0xED, 0xED), (0x80, 0x9F), (0x80, 0xBF)],
    [(0xEE, 0xEF), (0x80, 0xBF), (0x80, 0xBF)],
    [(0xF0, 0xF0), (0x90, 0xBF), (0x80, 0xBF), (0x80, 0xBF)],
    [(0xF1, 0xF3), (0x80, 0xBF), (0x80, 0xBF), (0x80, 0xBF)],
    [(0xF4, 0xF4), (0x80, 0x8F), (0x80, 0xBF), (0x80, 0xBF)],
]
_REPLACEMENT = b"\xef\xbf\xbd"

PIECES: list[bytes] = [
    b"",  # 0: ends answers
    b"Hi",
    b" there",
    b"\n",
    b"User",
    b":",
    b"\xf0\x9f",
    b"\x98\x80",
    b"\xed\xa0\x80",
    b"\xc3",
    b"a\nUser:b",
    b"",  # 11: a control token that ends nothing
]
_ENDS = [0]


def replaced(data: bytes) -> bytes:
    """Return text in UTF-8 with U+FFFD for each maximal subpart that is ill-formed."""
    found = bytearray()
    place = 0
    while place < len(data):
        longest = 0
        whole = False
        for ranges in _WELL_FORMED:
            fits = 0
            while (
                fits < len(ranges)
                and place + fits < len(data)
                and ranges[fits][0] <= data[place + fits] <= ranges[fits][1]
            ):
                fits += 1
            if fits > longest:
                longest, whole = fits, fits == len(ranges)
        size = max(1, longest)
        found += data[place : place + size] if whole else _REPLACEMENT
        place += size
    return bytes(found)


def _answer(ids: list[int], stops: list[bytes], limit: int) -> dict[str, Any]:
    """Return how many of some tokens an answer takes, and what it then is."""
    data = b""
    for count, token in enumerate(ids, 1):
        if token in _ENDS:
            return _output(ids[:count], 0, data)
        data += PIECES[token]
        places = [
            place
            for place in range(len(data))
            for stop in stops
            if data[place : place + len(stop)] == stop
        ]
        if places:
            return _output(ids[:count], 2, data[: min(places)])
        if count == limit:
            return _output(ids[:count], 1, data)
    raise AssertionError("the answer does not end")


def _output(ids: list[int], finish: int, shown: bytes) -> dict[str, Any]:
    prompt = [1, 2, 3]
    text = replaced(shown)
    output = (
        b"LLM1"
        + bytes([1, finish])
        + len(prompt).to_bytes(4, "big")
        + keccak256(b"".join(one.to_bytes(4, "big") for one in prompt))
        + len(ids).to_bytes(4, "big")
        + b"".join(one.to_bytes(4, "big") for one in ids)
        + keccak256(text)
    )
    return {
        "count": len(ids),
        "finish": finish,
        "text": text.decode(),
        "output": output.hex(),
        "outputHash": keccak256(output).hex(),
    }


_CASES: list[tuple[str, list[int], list[bytes], int]] = [
    ("an end token", [1, 2, 0, 1], [], 9),
    ("an end token as the first", [0, 1], [], 9),
    ("an end token as the last that the limit allows", [1, 0], [], 2),
    ("the limit", [1, 2, 2, 2], [], 3),
    ("a stop across three tokens", [1, 3, 4, 5, 1], [b"\nUser:"], 9),
    ("a stop in the last token of the limit", [1, 3, 4, 5], [b"\nUser:"], 4),
    ("a stop within one token", [1, 10, 1], [b"\nUser:"], 9),
    ("the earliest of two stops", [1, 10, 1], [b"User", b"\n"], 9),
    ("a stop that begins with another's end", [3, 4, 5, 1], [b":H", b"r:"], 9),
    ("a stop that is never whole", [3, 4, 3, 0], [b"\nUser:"], 9),
    ("a stop at the beginning", [1, 2], [b"Hi"], 9),
    ("a character of two tokens", [6, 7, 0], [], 9),
    ("U+FFFD at the cut", [1, 6], [], 2),
    ("U+FFFD before a character", [6, 1, 0], [], 9),
    ("a surrogate: three maximal subparts", [8, 0], [], 9),
    ("a stop that cuts a character", [1, 6, 7], [b"\x98"], 9),
    ("a control token within", [1, 11, 2, 0], [], 9),
    ("two lone leads", [9, 9, 1, 0], [], 9),
]


def vectors() -> dict[str, Any]:
    """Return answers over one list of pieces."""
    return {
        "pieces": [one.hex() for one in PIECES],
        "ends": _ENDS,
        "prompt": [1, 2, 3],
        "answers": [
            {
                "name": name,
                "ids": ids,
                "stops": [one.hex() for one in stops],
                "limit": limit,
                **_answer(ids, stops, limit),
            }
            for name, ids, stops, limit in _CASES
        ],
        "texts": [
            [data.hex(), replaced(data).decode()]
            for data in (
                b"\xf0\x80\x80\x41",
                b"\xf4\x8f\xbf\xbf\xf4\x90",
                b"\xe0\xa0\xe1\x80\x80",
                b"\xc0\xaf\xc2",
                b"\xf1\x80\x80\xe1\x80\xc2\x62",
                b"\xfe\x80\xff",
            )
        ],
        "hi": _output([7, 8], 1, b"hi")["outputHash"],
    }
