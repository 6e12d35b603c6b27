"""The demo's chain as a data folder, for whoever wants to look at it when the chain is gone."""

from pathlib import Path

from tallystick.data.collect import collect
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import ExtractPlan
from tallystick.data.pipeline import bring
from tallystick.data.probe.log import ProbeLog
from tallystick.demo.probing import LOG
from tallystick.demo.world import World
from tallystick.storage.batch_store import BatchStore


def keep(world: World, store: BatchStore, folder: Path) -> None:
    """Extract all that happened, collect what the store has of it, and log who answered.

    Args:
        world: after the story.
        store: of the operators.
        folder: the data folder; empty, or not there.
    """
    data = Dataset(folder)
    collect(data, extract_world(world, data), [store])
    ProbeLog(folder / LOG).append(world.probes)


def extract_world(world: World, data: Dataset) -> ContractKey:
    """Bring a data folder up to the latest block, gas included; return the registry."""
    url: str = world.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    plan = ExtractPlan([url], world.registry.address, depth=0, block_range=1_000)
    done, _ = bring(data, plan, gas=True)
    return done.contract
