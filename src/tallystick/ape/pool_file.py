"""A pool's terms, as people write them."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from tallystick.chain.pool import PoolTerms
from tallystick.errors import FieldError
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.quantities import amount_of, duration_of
from tallystick.storage.yaml_file import YamlFile

_NONE = "0x" + "00" * 20
_FIELDS = {field.name for field in fields(PoolTerms)}


def read_pool(path: Path) -> PoolTerms:
    """Return the terms of a YAML file, found to be such as the constructor takes.

    Fields: asset (missing: the native coin), spec (specHash of the models), replay (missing: none),
    seat_stake, fee_per_leaf, rule_fee (units of the asset, or such as 0.1 ether), min_seats, panel,
    min_drawn (leaves), seed_delay (blocks), exit_delay (seconds, or such as 14d).

    Raises:
        YamlFileError: wrong or missing keys, or values that the constructor would refuse.
    """
    file = YamlFile(path)
    found = file.check_keys(_FIELDS, _FIELDS - {"asset", "replay"})
    try:
        terms = PoolTerms(
            asset=_bytes(found, "asset"),
            spec=_bytes(found, "spec"),
            replay=_bytes(found, "replay"),
            seat_stake=amount_of(found["seat_stake"], "seat_stake"),
            min_seats=_number(found, "min_seats"),
            panel=_number(found, "panel"),
            min_drawn=_number(found, "min_drawn"),
            seed_delay=_number(found, "seed_delay"),
            exit_delay=duration_of(found["exit_delay"], "exit_delay"),
            fee_per_leaf=amount_of(found["fee_per_leaf"], "fee_per_leaf"),
            rule_fee=amount_of(found["rule_fee"], "rule_fee"),
        )
        terms.check()
    except FieldError as error:
        raise file.error([error.field], str(error)) from error
    return terms


def _bytes(found: dict[str, Any], name: str) -> bytes:
    value = found.get(name, _NONE)
    if not isinstance(value, str):
        raise FieldError(name, repr(value), "hex text in quotes")
    return from_hex(value, 32 if name == "spec" else 20, name)


def _number(found: dict[str, Any], name: str) -> int:
    value = found[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError(name, repr(value), "a whole number")
    return value
