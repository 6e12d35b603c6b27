"""New blocks into a data folder, for a page that shows them as they come."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import ExtractPlan
from tallystick.data.pipeline import bring

ASK_EVERY = 60.0
"""Seconds between two times that a contract is asked for its counters while no logs are new."""


@dataclass(frozen=True, slots=True)
class Bring:
    """Extracts what is new of each registry that the folder holds.

    Raises:
        ExtractError: a node fails, or somebody else is writing to the folder; when called.
    """

    data: Dataset
    urls: Mapping[int, Sequence[str]]
    """JSON-RPC over HTTP, by chain id; registries of other chains stay as they are."""
    depth: int | None = None
    """Blocks below the latest; None: the finalized block."""
    _asked: dict[ContractKey, float] = field(default_factory=dict)

    def __call__(self) -> None:
        """Do it once."""
        for registry in self.data.registries():
            # An imported registry's logs are decoded by whoever audits them.
            if registry.chain_id in self.urls and not self.data.imported(registry).exists():
                self._bring(registry, self.urls[registry.chain_id])

    def _bring(self, registry: ContractKey, urls: Sequence[str]) -> None:
        held = self.data.read_manifest(registry)
        plan = ExtractPlan(urls, registry.address, held.first_block, self.depth, held.block_range)
        ask = time.monotonic() - self._asked.get(registry, -ASK_EVERY) >= ASK_EVERY
        bring(self.data, plan, gas=self.data.transactions(registry).exists(), ask=ask)
        if ask:
            self._asked[registry] = time.monotonic()
