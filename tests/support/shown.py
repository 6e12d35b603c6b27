"""The demo's data folder, with a network whose names are attacks; a server for the page."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import uvicorn
from fastapi import FastAPI

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.demo import report, story
from tallystick.demo.data_folder import extract_world, keep
from tallystick.demo.world import RULES, World
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.rules import model_id, network_id
from tallystick.storage.batch_store import BatchStore
from tests.support.patience import PATIENCE

NAME = '"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\u202egnp.exe'
URI = "javascript:window.hacked=1//https://tracker.example/pixel.gif"
MODEL = '=HYPERLINK("https://tracker.example")' + "a\u0301\u0301\u0301\u0301" + "long " * 2_000
MODEL_URI = "https://tracker.example/model.svg#<svg onload=window.hacked=1>"
WAIT = 120
"""Seconds that the story may take."""


@dataclass
class Shown:
    """A chain on which the demo was played, and what was extracted of it."""

    world: World
    data: Dataset
    contract: ContractKey
    receipts: dict[str, list[str]]
    """By operator: the lines of its files of receipts."""
    hostile: bytes
    """Id of the network with the names above, on which a demand is open."""
    model: bytes
    lane: int = 1
    """Batches that the network's operator committed."""

    @property
    def url(self) -> str:
        url: str = self.world.w3.provider.endpoint_uri  # type: ignore[attr-defined]
        return url

    def bring(self) -> None:
        """Extract what is new; in a thread of its own, since Playwright has a loop in ours."""
        with ThreadPoolExecutor(1) as apart:
            apart.submit(self._bring).result()

    def commit_more(self, count: int) -> None:
        """Commit one more batch to the network with the hostile names, and extract it."""
        by = self.world.now + 3600
        root = self.lane.to_bytes(32, "big")
        words = (self.hostile, self.model, root, self.lane, self.lane, count, by, ZERO32, ZERO32)
        self.world.send("griefer", "commit", words)
        self.lane += 1
        self.bring()

    def demand_more(self) -> None:
        """Commit one more batch there, demand its inference, and extract both."""
        root, by = self.lane.to_bytes(32, "big"), self.world.now + 3600
        words = (self.hostile, self.model, root, self.lane, self.lane, 1, by, ZERO32, ZERO32)
        sent = self.world.send("griefer", "commit", words)
        _demand(self.world, sent.block_number, self.hostile, self.model, root, self.lane, by)
        self.lane += 1
        self.bring()

    def _bring(self) -> None:
        extract_world(self.world, self.data)


@contextlib.contextmanager
def demo_shown(folder: Path) -> Iterator[Shown]:
    """Play the demo, extract it into a folder, and keep its chain until the end."""
    played: dict[str, Any] = {}
    ready, over = threading.Event(), threading.Event()
    check, rows = story._check, report.rows

    def kept(world: World, receipts: Path, tell: story.Tell) -> None:
        check(world, receipts, tell)
        home = receipts.parent.parent.parent
        played["receipts"] = {
            path.name: [
                line
                for file in sorted(path.glob("receipts/*.jsonl"))
                for line in file.read_text().splitlines()
            ]
            for path in home.iterdir()
            if path.name != "batches"
        }
        played["stores"] = f"{home}/batches"
        played["world"] = world
        played["shown"] = _fill(folder, played)

    def waiting(world: World) -> Any:
        ready.set()
        over.wait()
        return rows(world)

    def play() -> None:
        try:
            story.run(lambda line: None, nodes=False)
        except BaseException as error:
            played["error"] = error
            ready.set()
            raise

    with patch.object(story, "_check", kept), patch.object(report, "rows", waiting):
        thread = threading.Thread(target=play)
        thread.start()
        try:
            assert ready.wait(WAIT)
            assert "error" not in played, played["error"]
            yield played["shown"]
        finally:
            over.set()
            thread.join()


def _fill(folder: Path, played: dict[str, Any]) -> Shown:
    world: World = played["world"]
    hostile, model = _attack(world)
    registry = ContractKey(world.registry.domain.chain_id, world.registry.address)
    keep(world, BatchStore(played["stores"]), folder)
    return Shown(world, Dataset(folder), registry, played["receipts"], hostile, model)


def _attack(world: World) -> tuple[bytes, bytes]:
    """Register a network and a model with hostile names; commit a batch, and demand a leaf."""
    owner, domain = world.senders["griefer"].address, world.registry.domain
    rules = replace(RULES, permissionless=True, max_bytes=1, arbiter=world.registry.address)
    network = network_id(domain.chain_id, domain.contract, owner, ZERO32, rules)
    world.send("griefer", "registerNetwork", ZERO32, rules.abi(), ZERO32, NAME, URI)
    model = model_id(network, owner, b"c" * 32, b"s" * 32, ZERO32)
    world.send("griefer", "registerModel", network, b"c" * 32, b"s" * 32, ZERO32, MODEL, MODEL_URI)
    world.send("griefer", "deposit", ZERO_ADDRESS, 10**17, value=10**17)
    world.send("griefer", "stake", network, 10**16)
    by = world.now + 3600
    words = (network, model, b"r" * 32, 0, 0, 1, by, ZERO32, ZERO32)
    sent = world.send("griefer", "commit", words)
    _demand(world, sent.block_number, network, model, b"r" * 32, 0, by)
    return network, model


def _demand(
    world: World, block: int, network: bytes, model: bytes, root: bytes, lane: int, by: int
) -> None:
    """Demand the only inference of a batch that was committed in a block."""
    at = int(world.w3.eth.get_block(block)["timestamp"])
    stamp = Stamp(lane, 1, at, block, at + RULES.challenge_window)
    batch = Batch(network, world.senders["griefer"].address, lane, model, root, 1, by)
    world.send("verifier", "demand", batch.abi(), stamp.pack(), 0, False)


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of this machine; yields its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
