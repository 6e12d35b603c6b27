"""Who may endorse enclave keys, as people write it."""

from pathlib import Path
from typing import Any

from tallystick.cli.command import CommandError
from tallystick.cli.files import read_yaml
from tallystick.hexes import from_hex
from tallystick.keys import check_key


def read_endorsers(path: Path, aged: bool = False) -> tuple[Any, ...]:
    """Return endorsers and threshold of a YAML file, as the constructors take them.

    Fields: endorsers (a list of keys in hex: an address, a P-256 point, or an RSA key),
    threshold (how many have to sign), and with `aged` max_age (seconds from an item's own time).
    """
    fields = {"endorsers", "threshold"} | ({"max_age"} if aged else set())
    found = read_yaml(path, fields, fields)
    if not isinstance(found["endorsers"], list) or not found["endorsers"]:
        raise CommandError(f"{path}: endorsers is no list of keys")
    endorsers = []
    for place, text in enumerate(found["endorsers"]):
        if not isinstance(text, str):
            raise CommandError(f"{path}: endorser {place} is {text!r}; needed: hex in quotes")
        key = from_hex(text, None, f"endorser {place}")
        check_key(f"endorser {place}", key)
        endorsers.append(key)
    numbers = []
    for name in sorted(fields - {"endorsers"}, reverse=True):
        value = found[name]
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise CommandError(f"{path}: {name} is {value!r}; needed: a whole number from 1 on")
        numbers.append(value)
    return endorsers, *numbers
