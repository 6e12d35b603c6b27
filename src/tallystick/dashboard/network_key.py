"""The key of a network: chain id, registry and network id."""

from collections.abc import Mapping
from typing import Any, NamedTuple

OF_NETWORK = "chain_id = ? AND address = ? AND network_id = ?"
"""Condition for rows of a NetworkKey, which is given as its parameters."""


class NetworkKey(NamedTuple):
    """A network of a registry on a chain.

    >>> NetworkKey(1, "0xaa", "0xbb").path
    '1/0xaa/0xbb'
    """

    chain_id: int
    core: str
    """The contract's address, lower-case hex text."""
    network_id: str
    """32 bytes, lower-case hex text."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "NetworkKey":
        """Return the key of a row that names its network by these fields."""
        return cls(*(row[name] for name in cls._fields))

    @property
    def path(self) -> str:
        """Its place below a URL."""
        return f"{self.chain_id}/{self.core}/{self.network_id}"
