"""One node with the real model for all tests of a file, and proxies before it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tallystick.protocol.hexes import checksummed, to_hex
from tests.llm.nodes.conftest import LlmScene, set_up
from tests.node.operator.conftest import shared_chain
from tests.support.chain import Chain
from tests.support.llm_middleman import Middleman, between
from tests.support.llm_proxy import ProxyProcess
from tests.support.operator_process import OperatorProcess, running

__all__ = ["shared_chain"]

StartProxy = Callable[..., ProxyProcess]


def asking_options(scene: LlmScene, *urls: str, rpc: str | None = None) -> list[str]:
    """Options of a command that asks the scene's model."""
    operators = [word for url in urls for word in ("--operator", url)]
    return [
        *operators,
        "--model-id",
        to_hex(scene.model_id),
        "--rpc",
        rpc or rpc_of(scene),
        "--registry",
        checksummed(scene.chain.registry.address),
    ]


def rpc_of(scene: LlmScene) -> str:
    """The chain's URL."""
    return str(scene.w3.provider.endpoint_uri)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def scene(shared_chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlmScene]:
    with set_up(shared_chain, tmp_path_factory.mktemp("scene")) as found:
        yield found


@pytest.fixture(scope="module")
def node(scene: LlmScene) -> Iterator[OperatorProcess]:
    with running(scene.node()) as found:
        yield found


@pytest.fixture
def middleman(node: OperatorProcess) -> Iterator[Middleman]:
    with between(node.url) as found:
        yield found


@pytest.fixture
def start(scene: LlmScene, node: OperatorProcess, tmp_path: Path) -> Iterator[StartProxy]:
    """Starts proxies, before the node where no URL is given; all are gone at the end."""
    with ExitStack() as stack:

        def begin(*urls: str, more: tuple[str, ...] = (), rpc: str | None = None) -> ProxyProcess:
            options = [*asking_options(scene, *(urls or (node.url,)), rpc=rpc), *more]
            proxy = ProxyProcess(tmp_path / "proxy", options)
            stack.callback(lambda: proxy.process and proxy.kill())
            proxy.start()
            return proxy

        yield begin


@pytest.fixture(scope="module")
def shared_proxy(
    scene: LlmScene, node: OperatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxyProcess]:
    """One for all tests of a file that change nothing of it."""
    proxy = ProxyProcess(
        tmp_path_factory.mktemp("shared") / "proxy", asking_options(scene, node.url)
    )
    try:
        proxy.start()
        yield proxy
    finally:
        proxy.kill()
