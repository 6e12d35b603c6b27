"""A pool's terms, as people write them."""

from pathlib import Path
from typing import Any

from tallystick.chain.pool import PoolTerms
from tallystick.errors import FieldError
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.quantities import amount_of, duration_of
from tallystick.storage.yaml_file import YamlFile

_BYTES = {"asset": 20, "spec": 32, "replay": 20}
_WITH_UNITS = {
    "seat_stake": amount_of,
    "exit_delay": duration_of,
    "fee_per_leaf": amount_of,
    "rule_fee": amount_of,
}
_NUMBERS = ("min_seats", "panel", "min_drawn", "seed_delay")
_NONE = "0x" + "00" * 20


def read_pool(path: Path) -> PoolTerms:
    """Return the terms of a YAML file, found to be such as the constructor takes.

    Fields: asset (missing: the native coin), spec (specHash of the models), replay (missing: none),
    seat_stake, fee_per_leaf, rule_fee (units of the asset, or such as 0.1 ether), min_seats, panel,
    min_drawn (leaves), seed_delay (blocks), exit_delay (seconds, or such as 14d).

    Raises:
        YamlFileError: wrong or missing keys, or values that the constructor would refuse.
    """
    file = YamlFile(path)
    names = {*_BYTES, *_WITH_UNITS, *_NUMBERS}
    found = file.check_keys(names, names - {"asset", "replay"})
    try:
        terms = PoolTerms(
            **{name: _bytes(name, found.get(name, _NONE)) for name in _BYTES},
            **{name: read(found[name], name) for name, read in _WITH_UNITS.items()},
            **{name: _number(name, found[name]) for name in _NUMBERS},
        )
        terms.check()
    except FieldError as error:
        raise file.error([error.field], str(error)) from error
    return terms


def _bytes(name: str, value: Any) -> bytes:
    if not isinstance(value, str):
        raise FieldError(name, repr(value), "hex text in quotes")
    return from_hex(value, _BYTES[name], name)


def _number(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError(name, repr(value), "a whole number")
    return value
