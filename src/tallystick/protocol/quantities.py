"""Amounts and durations as people write them: `0.001 ether`, `2 gwei`, `1h`, `30d`."""

import re
from decimal import Decimal

from eth_utils.currency import denoms, to_wei
from pytimeparse.timeparse import timeparse

from tallystick.errors import FieldError

UNITS = ("wei", "gwei", "ether")
_AMOUNT = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?)\s*([A-Za-z]*)")


def amount_of(value: object, field: str = "amount") -> int:
    """Return an amount in the smallest units of its asset: wei for the native coin.

    Args:
        value: a whole number, or text with a unit of 1, 10^9 or 10^18: wei, gwei, ether.
        field: name of what it is, for the error.

    Raises:
        FieldError: neither, negative, or with a part smaller than a unit.

    >>> amount_of("0.001 ether"), amount_of("2gwei"), amount_of("1_000"), amount_of(7)
    (1000000000000000, 2000000000, 1000, 7)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    unit = (found[2].lower() or "wei") if found else ""
    if found is None or unit not in UNITS:
        raise FieldError(field, repr(value), "a whole number of wei, or such as 0.001 ether")
    number = Decimal(found[1].replace("_", ""))
    # to_wei cuts off what is smaller than a unit.
    if number * getattr(denoms, unit) % 1:
        raise FieldError(field, repr(value), "no part smaller than 1 wei")
    return int(to_wei(number, unit))


def duration_of(value: object, field: str = "duration") -> int:
    """Return a duration in whole seconds.

    Args:
        value: seconds, or text such as 90s, 15m, 1h, 1h30m, 30d, 2w, 1:30:00.
        field: name of what it is, for the error.

    Raises:
        FieldError: neither, negative, or with a part of a second.

    >>> duration_of("1h"), duration_of("1h30m"), duration_of("30d"), duration_of("600")
    (3600, 5400, 2592000, 600)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str):
        text = value.strip()
        seconds = int(text) if text.isdecimal() else timeparse(text)
        if seconds is not None and seconds >= 0 and seconds == int(seconds):
            return int(seconds)
    raise FieldError(field, repr(value), "seconds, or such as 90s, 15m, 1h, 30d")
