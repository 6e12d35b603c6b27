"""Changes that no test can notice, each with its reason."""

from functools import cache
from pathlib import Path

import yaml

LIST = Path(__file__).parent / "equivalents.yaml"

Key = tuple[str, str, str, str]


@cache
def equivalents() -> dict[Key, str]:
    """Return the listed changes' reasons by Mutant.key."""
    listed = yaml.safe_load(LIST.read_text()) or {}
    return {
        (file, entry["function"], entry["before"], after): entry["reason"]
        for file, entries in listed.items()
        for entry in entries
        for after in ([entry["after"]] if isinstance(entry["after"], str) else entry["after"])
    }
