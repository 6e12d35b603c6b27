"""Seats of pools at a data folder's last block, as the folder keeps them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tallystick.data.extract.dataset import ContractKey
from tallystick.data.extract.errors import ManifestError
from tallystick.data.resolvers.kinds import DRAWN
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import to_hex
from tallystick.storage.durable import replace_file

VERSION = 1


@dataclass(frozen=True, slots=True)
class PoolSeats:
    """A pool's list of seats of the epoch that a block is in."""

    epoch: int
    seats: int
    accounts: Mapping[str, int]
    """Seats by account, hex text."""
    convicted: int = 0
    """Seats among them of keys that were convicted by then."""


@dataclass(frozen=True, slots=True)
class SeatsAtBlock:
    """The seats of a registry's pools at one block's end."""

    block: int
    block_hash: str
    block_time: int | None
    """Unix seconds; None: no node had the state of that block, and no pool is among these."""
    pools: Mapping[str, PoolSeats]
    """By address, hex text; one whose logs are not whole is not among them."""

    def is_of(self, block: int, block_hash: str) -> bool:
        """Return whether they were read at this block."""
        return (self.block, self.block_hash) == (block, block_hash)

    def names(self, pools: Iterable[ContractKey]) -> bool:
        """Return whether each of these pools is among them."""
        return all(to_hex(one.address) in self.pools for one in pools)

    @classmethod
    def read(cls, path: Path) -> "SeatsAtBlock | None":
        """Return a file's; None when there is none; ManifestError when it is something else."""
        try:
            found = json.loads(path.read_bytes())
            if wrong := unknown_version("list of pools", found.pop("version", None), VERSION):
                raise ManifestError(f"{path}: {wrong}")
            pools = {one: PoolSeats(**seats) for one, seats in found.pop("pools").items()}
            return cls(pools=pools, **found)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ManifestError(f"{path} is no list of pools' seats: {error}") from error

    def write(self, path: Path) -> None:
        """Replace a file at once: a crash leaves the old one or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(
            path, (json.dumps({"version": VERSION, **asdict(self)}, indent=1) + "\n").encode()
        )


def pools_of(facts: Mapping[str, Mapping[str, Any]], registry: ContractKey) -> list[str]:
    """Return the addresses of the pools that a registry's networks name and that audit for it.

    Only those count whose code is listed, and whose constructor ran with the terms that they tell.

    Args:
        facts: of resolvers by address, as read_resolvers gives them.
        registry: whose they are.
    """
    return sorted(
        address
        for address, fact in facts.items()
        if fact["name"] in DRAWN
        and fact["constructed"]
        and fact["terms"]["core"] == to_hex(registry.address)
    )
