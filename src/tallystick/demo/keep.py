"""The demo's chain as a data folder, for whoever wants to look at it when the chain is gone."""

from pathlib import Path

from tallystick.collect.collect import collect
from tallystick.demo.world import World
from tallystick.extract.dataset import Core, Dataset
from tallystick.extract.extractor import Plan
from tallystick.pipeline import bring
from tallystick.store import BatchStore


def keep(world: World, store: BatchStore, folder: Path) -> None:
    """Extract all that happened, and collect what the store has of it.

    Args:
        world: after the story.
        store: of the operators.
        folder: the data folder; empty, or not there.
    """
    data = Dataset(folder)
    collect(data, extract_world(world, data), [store])


def extract_world(world: World, data: Dataset) -> Core:
    """Bring a data folder up to the latest block, gas included; return the core."""
    url: str = world.w3.provider.endpoint_uri  # type: ignore[attr-defined]
    plan = Plan([url], world.registry.address, depth=0, block_range=1_000)
    done, _ = bring(data, plan, gas=True)
    return done.core
