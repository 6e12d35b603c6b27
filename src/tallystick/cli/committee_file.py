"""A committee's parameters, as people write them."""

from pathlib import Path
from typing import Any

from tallystick.cli.command import CommandError
from tallystick.cli.files import read_yaml
from tallystick.committee import MAX_DRAWN, MAX_SEED_DELAY
from tallystick.hexes import from_hex
from tallystick.keys import MAX_KEYS, check_key

_NUMBERS = {
    "threshold": (1, MAX_KEYS),
    "min_drawn": (1, MAX_DRAWN),
    "seed_delay": (1, MAX_SEED_DELAY),
    "exit_delay": (0, 2**32 - 1),
    "min_stake": (1, 2**128 - 1),
}
"""Lowest and highest, by the constructor."""
_ADDRESSES = ("asset", "arbiter")
_NONE = "0x" + "00" * 20


def read_committee(path: Path) -> tuple[tuple[Any, ...], list[tuple[bytes, bytes]]]:
    """Return terms and members of a YAML file, as the Committee's constructor takes them.

    Fields: asset (missing: the native coin), threshold, min_drawn (1 to 256), seed_delay (blocks, 1
    to 1,024), exit_delay (seconds), min_stake (units of the asset, above 0), arbiter (of the
    networks to be audited; missing: only networks without one), members (each with account, and key
    unless the account itself signs).
    """
    names = {*_NUMBERS, *_ADDRESSES, "members"}
    found = read_yaml(path, names, names - {*_ADDRESSES})
    asset, arbiter = (_hex(found.get(name, _NONE), 20, name) for name in _ADDRESSES)
    numbers = []
    for name, (lowest, highest) in _NUMBERS.items():
        value = found[name]
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or not lowest <= value <= highest:
            needed = f"a whole number from {lowest} to {highest}"
            raise CommandError(f"{path}: {name} is {value!r}; needed: {needed}")
        numbers.append(value)
    members: list[tuple[bytes, bytes]] = []
    for place, member in enumerate(found["members"] or []):
        if not isinstance(member, dict) or "account" not in member:
            raise CommandError(f"{path}: member {place} has no account")
        account = _hex(member["account"], 20, f"account of member {place}")
        key = _hex(member.get("key", member["account"]), None, f"key of member {place}")
        check_key(f"key of member {place}", key)
        if key in (other for _, other in members):
            raise CommandError(f"{path}: member {place} has the key of another one")
        members.append((account, key))
    if not found["threshold"] <= len(members) <= MAX_KEYS:
        raise CommandError(
            f"{path}: threshold is {found['threshold']} of {len(members)} members; needed: at most "
            f"all of them, and at most {MAX_KEYS}"
        )
    return (asset, *numbers, arbiter), members


def _hex(value: Any, length: int | None, field: str) -> bytes:
    if not isinstance(value, str):
        raise CommandError(f"{field} is {value!r}; needed: hex text in quotes")
    return from_hex(value, length, field)
