"""Stand-ins on a private chain, followed into a folder of the test."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tallystick.networks import state
from tallystick.networks.adapter import Place
from tallystick.networks.follow import follow
from tallystick.networks.networks_file import ChainNodes, Followed, NetworksFile
from tallystick.networks.registered import adapter
from tallystick.networks.state import State
from tests.support.chain import Chain
from tests.support.standins import Standin

CHAIN_ID = 31337


def url_of(chain: Chain) -> str:
    url: str = chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    return url


@dataclass
class Follower:
    """Follows stand-ins to the chain's very head."""

    chain: Chain
    root: Path
    url: str | None = None
    """None: the chain's own node."""

    def run(self, name: str, *places: Standin | None, **options: Any) -> State:
        """Follow one network at the places of its stand-ins; None: whatever contract."""
        found = adapter(name)
        kinds = (
            [one.name for one in found.kinds] * len(places)
            if len(found.kinds) == 1
            else [one.name for one in found.kinds]
        )
        followed = tuple(
            Place(CHAIN_ID, one.address if one else None, one.first_block if one else 0, kind)
            for one, kind in zip(places, kinds, strict=False)
        )
        nodes = ChainNodes((self.url or url_of(self.chain),), depth=0, block_range=16)
        file = NetworksFile({CHAIN_ID: nodes}, (Followed(name, found, followed, options),))
        (one,) = follow(self.root, file)
        return one

    def verdicts(self, name: str) -> dict[tuple[str, str], int]:
        """Claims by verdict and reason."""
        rows = state.reasons(state.findings(self.root, name))
        return {(row["verdict"], row["reason"]): row["count"] for row in rows}


@pytest.fixture
def follower(chain: Chain, tmp_path: Path) -> Follower:
    return Follower(chain, tmp_path / "data")
