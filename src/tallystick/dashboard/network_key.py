"""Keys of what a registry tells of: a network, an operator, a model; and conditions for them."""

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
        return path_of(self)


class OperatorKey(NamedTuple):
    """An operator at a registry, in whichever of its networks; 20 bytes, lower-case hex text."""

    chain_id: int
    core: str
    operator: str


class ModelKey(NamedTuple):
    """A model at a registry: its id, 32 bytes, lower-case hex text, says in which network."""

    chain_id: int
    core: str
    model_id: str


class RequesterKey(NamedTuple):
    """A requester at a registry, in whichever of its networks; 20 bytes, lower-case hex text."""

    chain_id: int
    core: str
    requester: str


class ResolverKey(NamedTuple):
    """A resolver that networks of a registry name; 20 bytes, lower-case hex text."""

    chain_id: int
    core: str
    resolver: str


PartKey = NetworkKey | OperatorKey | ModelKey | ResolverKey


def condition(key: PartKey, table: str = "") -> str:
    """Return the condition for rows of a key, which is given as its parameters.

    Of a resolver: the rows of networks whose arbiter it is.

    >>> condition(OperatorKey(1, "0xaa", "0xbb"), "c.")
    'c.chain_id = ? AND c.address = ? AND c.operator = ?'
    """
    if isinstance(key, ResolverKey):
        of_arbiter = "SELECT network_id FROM NetworkRegistered WHERE rules_arbiter = ?"
        own = f"{table}chain_id = ? AND {table}address = ?"
        return f"{own} AND {table}network_id IN ({of_arbiter})"
    columns = ("chain_id", "address", key._fields[-1])
    return " AND ".join(f"{table}{name} = ?" for name in columns)


def path_of(key: tuple[object, ...]) -> str:
    """Return a key's place below a URL.

    >>> path_of(OperatorKey(1, "0xaa", "0xbb"))
    '1/0xaa/0xbb'
    """
    return "/".join(map(str, key))
