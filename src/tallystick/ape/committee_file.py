"""A committee's parameters, as people write them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tallystick.errors import FieldError
from tallystick.protocol.committee import MAX_DRAWN, MAX_SEED_DELAY
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.keys import MAX_KEYS, check_key
from tallystick.protocol.quantities import amount_of, duration_of
from tallystick.storage.yaml_file import YamlFile

_NUMBERS = {
    "threshold": (1, MAX_KEYS),
    "min_drawn": (1, MAX_DRAWN),
    "seed_delay": (1, MAX_SEED_DELAY),
    "exit_delay": (0, 2**32 - 1),
    "min_stake": (1, 2**128 - 1),
}
"""Lowest and highest, by the constructor."""
_WITH_UNITS = {"exit_delay": duration_of, "min_stake": amount_of}
_ADDRESSES = ("asset", "arbiter")
_NONE = "0x" + "00" * 20


def read_committee(path: Path) -> tuple[tuple[Any, ...], list[tuple[bytes, bytes]]]:
    """Return terms and members of a YAML file, as the Committee's constructor takes them.

    Fields: asset (missing: the native coin), threshold, min_drawn (1 to 256), seed_delay (blocks, 1
    to 1,024), exit_delay (seconds, or such as 14d), min_stake (units of the asset, or such as 1
    ether; above 0), arbiter (of the networks to be audited; missing: only networks without one),
    members (each with account, and key unless the account itself signs).

    Raises:
        YamlFileError: wrong or missing keys, or values that the constructor would refuse.
    """
    names = {*_NUMBERS, *_ADDRESSES, "members"}
    file = YamlFile(path)
    found = file.check_keys(names, names - {*_ADDRESSES})
    asset, arbiter = (_hex(file, [name], found.get(name, _NONE), 20) for name in _ADDRESSES)
    numbers = []
    for name, (lowest, highest) in _NUMBERS.items():
        value = found[name]
        if name in _WITH_UNITS:
            try:
                value = _WITH_UNITS[name](value, name)
            except FieldError as error:
                raise file.error([name], str(error)) from error
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or not lowest <= value <= highest:
            needed = f"a whole number from {lowest} to {highest}"
            raise file.error([name], f"{name} is {value!r}; needed: {needed}")
        numbers.append(value)
    members: list[tuple[bytes, bytes]] = []
    if not isinstance(found["members"] or [], list):
        raise file.error(["members"], "members is no list")
    for index, member in enumerate(found["members"] or []):
        place: list[str | int] = ["members", index]
        if not isinstance(member, dict) or "account" not in member:
            raise file.error(place, f"member {index} has no account")
        file.check_keys({"account", "key"}, place=place)
        account = _hex(file, [*place, "account"], member["account"], 20)
        key = _hex(file, [*place, "key"], member.get("key", member["account"]), None)
        try:
            check_key(f"key of member {index}", key)
        except FieldError as error:
            raise file.error([*place, "key"], str(error)) from error
        if key in (other for _, other in members):
            raise file.error([*place, "key"], f"member {index} has the key of another one")
        members.append((account, key))
    if not found["threshold"] <= len(members) <= MAX_KEYS:
        raise file.error(
            ["threshold"],
            f"threshold is {found['threshold']} of {len(members)} members; needed: at most "
            f"all of them, and at most {MAX_KEYS}",
        )
    return (asset, *numbers, arbiter), members


def _hex(file: YamlFile, place: Sequence[str | int], value: Any, length: int | None) -> bytes:
    if not isinstance(value, str):
        raise file.error(place, f"{place[-1]} is {value!r}; needed: hex text in quotes")
    try:
        return from_hex(value, length, str(place[-1]))
    except FieldError as error:
        raise file.error(place, str(error)) from error
