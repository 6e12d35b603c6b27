"""Environments of processes that are started here: of ours they see what is named, and no more."""

import os


def only(*names: str) -> dict[str, str]:
    """Return the named variables, of those that are set; others may hold keys and passphrases."""
    return {name: os.environ[name] for name in names if name in os.environ}
