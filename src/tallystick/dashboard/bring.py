"""New blocks into a data folder, for a page that shows them as they come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallystick.extract.dataset import Core, Dataset
from tallystick.extract.extractor import Plan
from tallystick.pipeline import bring


@dataclass(frozen=True, slots=True)
class Bring:
    """Extracts what is new of each core that the folder holds.

    Raises:
        ExtractError: a node fails, or somebody else is writing to the folder; when called.
    """

    data: Dataset
    urls: Mapping[int, Sequence[str]]
    """JSON-RPC over HTTP, by chain id; cores of other chains stay as they are."""
    depth: int | None = None
    """Blocks below the latest; None: the finalized block."""

    def __call__(self) -> None:
        """Do it once."""
        for core in self.data.cores():
            # An imported core's logs are decoded by whoever audits them.
            if core.chain_id in self.urls and not self.data.imported(core).exists():
                self._bring(core, self.urls[core.chain_id])

    def _bring(self, core: Core, urls: Sequence[str]) -> None:
        held = self.data.read_manifest(core)
        plan = Plan(urls, core.address, held.first_block, self.depth, held.block_range)
        bring(self.data, plan, gas=self.data.transactions(core).exists())
