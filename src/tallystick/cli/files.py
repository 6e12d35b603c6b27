"""YAML files of parameters."""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tallystick.cli.command import CommandError


def read_yaml(path: Path, allowed: set[str], needed: set[str]) -> dict[str, Any]:
    """Return a YAML file's mapping.

    Raises:
        CommandError: not YAML, not a mapping, or with other fields.
    """
    try:
        # The base loader would make text of all; this one reads 0x... as an integer, so quote it.
        found = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise CommandError(f"{path} is not YAML: {error}") from error
    if not isinstance(found, dict):
        raise CommandError(f"{path} is not a mapping of fields to values")
    unknown, missing = sorted(set(found) - allowed), sorted(needed - set(found))
    if unknown:
        raise CommandError(f"{path}: unknown {', '.join(unknown)}; known: {sorted(allowed)}")
    if missing:
        raise CommandError(f"{path}: {', '.join(missing)} missing")
    return found
