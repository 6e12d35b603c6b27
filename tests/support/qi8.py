"""QI8-1 read from its page, docs/replay.md, in plain integers: a twin of tallystick.replay.

Nothing here is imported from the package, so that both cannot be wrong alike.
"""

from itertools import product

NAMES = (
    *("kind", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "k_h", "k_w", "stride_h"),
    *("stride_w", "pad_top", "pad_left", "groups", "k", "za", "zw", "zy", "lo", "hi"),
)


def rne(x: int, s: int) -> int:
    """Return x / 2^s rounded half to even."""
    whole, rest = divmod(x, 1 << s)
    return whole + (2 * rest > 1 << s or (2 * rest == 1 << s and whole % 2 == 1))


def requantize(acc: int, bits: int, zy: int, lo: int, hi: int) -> int:
    """Return y as the page's "Requantization" has it."""
    m, big = abs(acc), 0x800000 | (bits & 0x7FFFFF)
    e = (bits >> 23) - 150
    if m.bit_length() > 24:
        s = m.bit_length() - 24
        m, e = rne(m, s), e + s
    p = m * big
    if p.bit_length() > 24:
        s = p.bit_length() - 24
        p, e = rne(p, s), e + s
    v = p << e if e >= 0 else (0 if -e > 60 else rne(p, -e))
    return max(lo, min(hi, (-v if acc < 0 else v) + zy))


def read(data: bytes) -> tuple[list[dict[str, int]], bytes]:
    """Return the steps and the rows of a file."""
    count = int.from_bytes(data[8:12], "big")
    words = [int.from_bytes(data[at : at + 32], "big") for at in range(32, 32 + 640 * count, 32)]
    steps = [dict(zip(NAMES, words[at : at + 20], strict=True)) for at in range(0, 20 * count, 20)]
    return steps, data[32 + 640 * count :]


def run(data: bytes, tensor: bytes) -> list[bytes]:
    """Return all tensors of one inference, the input's first."""
    steps, rows = read(data)
    tensors = [tensor]
    for step in steps:
        head = rows_size(step)
        named = tensors[step["groups"]] if step["kind"] in (6, 7, 8) else b""
        tensors.append(apply(step, rows[:head], tensors[-1], named))
        rows = rows[head:]
    return tensors


def rows_size(step: dict[str, int]) -> int:
    """Return how many bytes of rows a step takes."""
    each = step["out_c"] * (12 + step["k"])
    return {1: each, 2: each, 3: 0, 4: 12, 5: 256, 6: 8, 7: 0, 8: 0}[step["kind"]]


def apply(step: dict[str, int], rows: bytes, tensor: bytes, named: bytes) -> bytes:
    """Return a step's output, of the tensor before it and of the one that it names."""
    if step["kind"] == 8:
        return named
    if step["kind"] == 7:
        first, second = step["out_c"] - step["in_c"], step["in_c"]
        pixels = range(step["in_h"] * step["in_w"])
        return b"".join(
            named[p * first : (p + 1) * first] + tensor[p * second : (p + 1) * second]
            for p in pixels
        )
    if step["kind"] == 6:
        return bytes(added(step, rows, a, b) for a, b in zip(tensor, named, strict=True))
    if step["kind"] == 5:
        return bytes(rows[a] for a in tensor)
    places = product(*(range(step[name]) for name in ("out_h", "out_w", "out_c")))
    return bytes(element(step, rows, tensor, *place) for place in places)


def added(step: dict[str, int], rows: bytes, a: int, b: int) -> int:
    """Return an element of a sum."""
    ma, mb = int.from_bytes(rows[:4], "big"), int.from_bytes(rows[4:], "big")
    acc = (a - step["za"]) * ma + (b - step["zw"]) * mb + step["zy"] * 2**24
    return max(step["lo"], min(step["hi"], rne(acc, 24)))


def element(step: dict[str, int], rows: bytes, tensor: bytes, y: int, x: int, o: int) -> int:
    """Return one output element."""
    weighted = step["kind"] in (1, 2)
    if weighted:
        width = step["in_c"] // step["groups"]
        first = o // (step["out_c"] // step["groups"]) * width
        channels = range(first, first + width)
        row = rows[o * (12 + step["k"]) : (o + 1) * (12 + step["k"])]
    else:
        channels, row = range(o, o + 1), rows
    patch = []
    for ky, kx, c in product(range(step["k_h"]), range(step["k_w"]), channels):
        iy = y * step["stride_h"] - step["pad_top"] + ky
        ix = x * step["stride_w"] - step["pad_left"] + kx
        if 0 <= iy < step["in_h"] and 0 <= ix < step["in_w"]:
            patch.append(tensor[(iy * step["in_w"] + ix) * step["in_c"] + c])
        else:
            patch.append(step["za"])
    if step["kind"] == 3:
        return max(patch)
    acc = int.from_bytes(row[:8], "big", signed=True)
    if weighted:
        acc += sum(a * w for a, w in zip(patch, row[12:], strict=True)) - step["zw"] * sum(patch)
    else:
        acc += sum(patch)
    scale = int.from_bytes(row[8:12], "big")
    return requantize(acc, scale, step["zy"], step["lo"], step["hi"])
