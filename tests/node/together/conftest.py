"""One world for all tests here: its processes take longer to start than most tests."""

from collections.abc import Iterator

import pytest

from tests.node.together.world import World, world


@pytest.fixture(scope="package")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as here:
        yield here


@pytest.fixture
def here(shared_world: World) -> World:
    """The world as at the start, save for what the chain has of tests before."""
    shared_world.heal()
    return shared_world
