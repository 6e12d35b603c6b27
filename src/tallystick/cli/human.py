"""Numbers, amounts and times as people read them; JSON, CSV and Parquet have them whole."""

from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal

from tallystick.protocol.abi_words import ZERO_ADDRESS

_PREFIXES = (("T", 10**12), ("G", 10**9), ("M", 10**6))
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def count(number: int) -> str:
    """Return a count, exact below ten million, else its first digits; never more than it is.

    >>> count(9_999_999), count(12_345_678), count(2**51 - 1)
    ('9,999,999', '12.3 M', '2,251 T')
    """
    if number < 10_000_000:
        return f"{number:,}"
    for prefix, size in _PREFIXES:
        if number >= size:
            whole, rest = divmod(number, size)
            return (
                f"{whole:,} {prefix}" if whole >= 100 else f"{whole}.{rest * 10 // size} {prefix}"
            )
    raise AssertionError(number)


def amount(units: int, asset: bytes = ZERO_ADDRESS) -> str:
    """Return an amount of an asset: ETH for the native coin, else its smallest units.

    Cut after three digits that count, never rounded up: what is shown is there.

    >>> amount(4 * 10**15), amount(1_234_567_890_000_000_000), amount(12), amount(0)
    ('0.004 ETH', '1.23 ETH', '12 wei', '0 ETH')
    >>> amount(12_345, b"t" * 20)
    '12,345 units'
    """
    if asset != ZERO_ADDRESS:
        return f"{count(units)} units"
    if 0 < units < 10**9:
        return f"{count(units)} wei"
    if 0 < units < 10**12:
        return f"{_digits(Decimal(units) / 10**9)} gwei"
    return f"{_digits(Decimal(units) / 10**18)} ETH"


def duration(seconds: int) -> str:
    """Return a duration by its two greatest units.

    >>> duration(172_800), duration(5_400), duration(59), duration(0)
    ('2 d', '1 h 30 min', '59 s', '0 s')
    """
    for place, (unit, size) in enumerate(_UNITS):
        if seconds >= size:
            first = f"{seconds // size:,} {unit}"
            for smaller, less in _UNITS[place + 1 : place + 2]:
                if rest := seconds % size // less:
                    return f"{first} {rest} {smaller}"
            return first
    return "0 s"


def moment(time: int) -> str:
    """Return a Unix time in UTC, to the minute.

    >>> moment(1_800_000_000)
    '2027-01-15 08:00'
    """
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")


def _digits(number: Decimal) -> str:
    if number == 0:
        return "0"
    if number >= 1_000:
        return f"{count(int(number))}"
    step = Decimal(1).scaleb(max(number.adjusted() - 2, -18))
    text = f"{number.quantize(step, ROUND_DOWN):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
