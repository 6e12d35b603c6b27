"""Who may endorse enclave keys, as people write it."""

from pathlib import Path
from typing import Any

from tallystick.cli.command import CommandError
from tallystick.cli.files import read_yaml
from tallystick.hexes import from_hex


def read_endorsers(path: Path, aged: bool = False) -> tuple[Any, ...]:
    """Return endorsers and threshold of a YAML file, as the constructors take them.

    Fields: endorsers (a list of ERC-7913 signers: 20 bytes of an account, or verifier and key),
    threshold (how many have to sign), and with `aged` max_age (seconds from an item's own time).
    """
    fields = {"endorsers", "threshold"} | ({"max_age"} if aged else set())
    found = read_yaml(path, fields, fields)
    if not isinstance(found["endorsers"], list) or not found["endorsers"]:
        raise CommandError(f"{path}: endorsers is no list of signers")
    endorsers = []
    for place, signer in enumerate(found["endorsers"]):
        if not isinstance(signer, str):
            raise CommandError(f"{path}: endorser {place} is {signer!r}; needed: hex in quotes")
        endorsers.append(from_hex(signer, None, f"endorser {place}"))
    numbers = []
    for name in sorted(fields - {"endorsers"}, reverse=True):
        value = found[name]
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise CommandError(f"{path}: {name} is {value!r}; needed: a whole number from 1 on")
        numbers.append(value)
    return endorsers, *numbers
