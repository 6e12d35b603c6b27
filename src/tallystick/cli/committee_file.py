"""A committee's parameters, as people write them."""

from pathlib import Path
from typing import Any

from tallystick.cli.command import CommandError
from tallystick.cli.files import read_yaml
from tallystick.hexes import from_hex

_TERMS = ("asset", "threshold", "min_drawn", "seed_delay", "exit_delay", "min_stake")


def read_committee(path: Path) -> tuple[tuple[Any, ...], list[tuple[bytes, bytes]]]:
    """Return terms and members of a YAML file, as the Committee's constructor takes them.

    Fields: asset (missing: the native coin), threshold, min_drawn, seed_delay (blocks), exit_delay
    (seconds), min_stake (units of the asset), members (each with account, and signer unless it is
    the account itself).
    """
    found = read_yaml(path, {*_TERMS, "members"}, {*_TERMS, "members"} - {"asset"})
    asset = _hex(found.get("asset", "0x" + "00" * 20), 20, "asset")
    numbers = []
    for name in _TERMS[1:]:
        value = found[name]
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise CommandError(f"{path}: {name} is {value!r}; needed: a whole number")
        numbers.append(value)
    members = []
    for place, member in enumerate(found["members"] or []):
        if not isinstance(member, dict) or "account" not in member:
            raise CommandError(f"{path}: member {place} has no account")
        account = _hex(member["account"], 20, f"account of member {place}")
        signer = _hex(member.get("signer", member["account"]), None, f"signer of member {place}")
        members.append((account, signer))
    return (asset, *numbers), members


def _hex(value: Any, length: int | None, field: str) -> bytes:
    if not isinstance(value, str):
        raise CommandError(f"{field} is {value!r}; needed: hex text in quotes")
    return from_hex(value, length, field)
