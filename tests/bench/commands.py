"""What commands cost, and nodes to start, where others have committed ever more batches.

`python -m tests.bench.commands`; SIZES="10 1000 40000 1000000", ONLY="tally,submit", JSON=1 for
objects, BUSY=1 where the machine has other work, for ceilings on requests, bytes and memory alone.
Time is counted beyond that of --help; a second run finds what the first one has read.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tallystick.chain.localnet import advance, localnet, mine
from tallystick.demo.digits import model as digits
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.hexes import to_hex
from tests.bench.figures import Figure, tell
from tests.support.builds import ROOT
from tests.support.chain import Chain
from tests.support.crowded_rpc import Crowd, CrowdedNode, crowded
from tests.support.story import HOUR, Network, register

SIZES = [int(one) for one in os.environ.get("SIZES", "10 1000 40000 1000000").split()]
ONLY = [one.strip() for one in os.environ.get("ONLY", "").split(",") if one.strip()]
BUSY = os.environ.get("BUSY") == "1"
BLOCKS = 1_000
"""That others' batches are in, however many they are."""
CEILING = 1.5
"""A second run's time and memory, beside those where others have committed the least."""
NOISE = 0.25
"""Seconds by which two starts of Python differ: what is below says nothing."""
MOST_OF_ALL = 40_000
"""Foreign batches up to which commands that concern all networks are measured."""
A_BATCH = 250
"""Microseconds of work that a foreign batch may cost who reads it by columns; a fold takes 700."""
OPERATOR = 2
A_LOG = 500
"""Bytes; a signature or a number may be some digits shorter, but no log more is read."""


@dataclass
class Cost:
    """What one run took."""

    seconds: float
    """On the clock."""
    cpu: float
    """Seconds of the process's own work: what else the machine and the node do is not in it."""
    requests: int
    bytes: int
    megabytes: float
    """Most memory of the process."""


@dataclass
class Bench:
    """A chain with an own network, and what commands are run with."""

    chain: Chain
    network: Network
    node: CrowdedNode
    folder: Path
    batch: str
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *words: object) -> list[str]:
        at = ["--network", f"ethereum:local:{self.node.url}"]
        return ["ape", "run", *map(str, words), *at]

    def run(self, *words: object, again: bool = False) -> Cost:
        """Run a command to its end."""
        self.node.take()
        return self._cost(self.command(*words), lambda: None)

    def start(self, kind: str, settings: dict[str, Any], ready: Callable[[], bool]) -> Cost:
        """Start a node, and end it once it is ready."""
        file = self.folder / f"{kind}.yaml"
        file.write_text(yaml.safe_dump(settings))
        self.node.take()
        return self._cost(["ape", "run", "node", kind, "--settings", str(file)], ready)

    def _cost(self, command: list[str], ready: Callable[[], bool | None]) -> Cost:
        out = self.folder / "out.log"
        with out.open("wb") as log:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
            memory, cpu, waits = 0.0, 0.0, ready() is not None
            while process.poll() is None:
                memory, cpu = max(memory, _peak(process.pid)), _cpu(process.pid) or cpu
                if waits and ready():
                    break
                time.sleep(0.02)
            seconds, spent = time.perf_counter() - start, self.node.take()
            if waits and process.poll() is None:
                process.kill()
            code = process.wait()
        if code and not waits:
            raise SystemExit(f"{' '.join(command)}: {out.read_text()[-2000:]}")
        if waits and code >= 0:
            raise SystemExit(f"{' '.join(command)} ended: {out.read_text()[-2000:]}")
        return Cost(seconds, cpu, spent.total, spent.sent + spent.received, memory)


def _peak(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(one.split()[1]) / 1024 for one in lines if one.startswith("VmHWM")), 0.0)


def _cpu(process: int) -> float:
    """Return the seconds that a process has worked; its threads, and not its children."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0.0
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def cases(bench: Bench) -> dict[str, Callable[[], Cost]]:
    """Return what is measured, in an order in which each finds what it needs."""
    network, model = to_hex(bench.network.id), to_hex(bench.network.model_id)
    account, out = ("--account", f"TEST::{OPERATOR}"), bench.folder / "out"
    lines = bench.folder / "lines.jsonl"
    lines.write_text('{"input": "0x00", "output": "0x01"}\n')
    rpc = {
        "rpc": bench.node.url,
        "registry": to_hex(bench.chain.registry.address),
        "account": f"TEST::{OPERATOR}",
        "data": str(bench.folder / "node"),
        "poll_every": 0.2,
    }
    served = {"id": model, "file": str(digits.FILE), "runner": digits.RUNNER}
    port, metrics = _port(), _port()

    def submit() -> Cost:
        shutil.rmtree(out, ignore_errors=True)
        deadline = bench.chain.now + HOUR
        return bench.run(
            *("submit", lines, "--network-id", network, "--model-id", model, *account),
            *("--store", out / "batches", "--receipts", out, "--deadline", deadline),
        )

    def receipt() -> Cost:
        (file,) = out.glob("*.jsonl")
        return bench.run("receipt", "check", file)

    def finalize(*only: str) -> Cost:
        return bench.run("finalize", "--all", *only, *account)

    def operator() -> Cost:
        own = {"network_id": network, "models": [served], "port": port, "finalize": False}
        url = f"http://127.0.0.1:{port}/"
        return bench.start("operator", {"common": rpc, "operator": own}, lambda: _ready(url))

    def verifier() -> Cost:
        common = rpc | {"metrics_port": metrics, "account": "TEST::5"}
        own = {"networks": [network], "models": [served]}
        url = f"http://127.0.0.1:{metrics}/metrics"
        return bench.start("verifier", {"common": common, "verifier": own}, lambda: _seen(url))

    found: dict[str, Callable[[], Cost]] = {
        "submit": submit,
        "tally": lambda: bench.run("tally", network),
        "receipt check": receipt,
        "finalize": lambda: finalize("--network-id", network),
        "tally of all": lambda: bench.run("tally"),
        "finalize of all": finalize,
        "operator": operator,
        "verifier": verifier,
    }
    if unknown := set(ONLY) - found.keys():
        raise SystemExit(f"ONLY names {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    few = bench.node.crowd.batches <= MOST_OF_ALL
    return {
        name: run
        for name, run in found.items()
        if (not ONLY or name in ONLY) and (few or name not in _OF_ALL)
    }


def measure(bench: Bench, size: int) -> dict[tuple[str, int], Cost]:
    """Return what each case took in its first and second run, by name and run."""
    bench.node.crowd.batches = size
    bench.folder.mkdir()
    bench.environment = dict(os.environ)
    bench.environment["TALLYSTICK_REGISTRY"] = to_hex(bench.chain.registry.address)
    costs: dict[tuple[str, int], Cost] = {}
    for name, run in cases(bench).items():
        cache = bench.folder / "cache" / (name if name in _OF_ALL else "shared")
        bench.environment["TALLYSTICK_CACHE"] = str(cache)
        for number in (1, 2):
            ending = name.startswith("finalize")
            with bench.chain.isolated() if ending else nullcontext():
                if ending:
                    advance(bench.chain.w3, 9 * HOUR)
                costs[name, number] = run()
                print(f"{size} {name} {number}: {costs[name, number]}", file=sys.stderr)
    return costs


def figures(found: dict[int, dict[tuple[str, int], Cost]], helped: Cost) -> Iterator[Figure]:
    """Yield each cost, and its ratio to the same where others have committed the least."""
    least = min(found)
    for size, costs in found.items():
        for (name, number), cost in costs.items():
            before, title = found[least][name, number], f"{name}, run {number}, {size} others"
            yield Figure(f"{title}: time", cost.seconds - helped.seconds, "s")
            yield Figure(f"{title}: work", cost.cpu - helped.cpu, "s")
            yield Figure(f"{title}: requests", cost.requests, "")
            yield Figure(f"{title}: bytes", cost.bytes, "")
            yield Figure(f"{title}: memory", cost.megabytes, "MB")
            if size == least:
                continue
            if name in _OF_ALL:
                yield from _of_all(title, number, size - least, cost, before)
                continue
            ceiling = CEILING if number == 2 else None
            for what, of, base in (
                ("time", cost.seconds - helped.seconds, before.seconds - helped.seconds),
                ("work", cost.cpu - helped.cpu, before.cpu - helped.cpu),
                ("memory", cost.megabytes, before.megabytes),
            ):
                limit = None if BUSY and what != "memory" else ceiling
                yield Figure(f"{title}: {what}", max(of, NOISE) / max(base, NOISE), "x", limit)
            if name in _STEADY:
                more = cost.requests - before.requests
                yield Figure(f"{title}: requests", more, "more", 0)
                more = max(0, cost.bytes - before.bytes - A_LOG)
                yield Figure(f"{title}: bytes", more, "more", 0)


def _of_all(title: str, number: int, more: int, cost: Cost, before: Cost) -> Iterator[Figure]:
    """Yield what more foreign batches cost a command that reads them.

    Its first run reads each of them, by columns; its second finds them, and memory is as before.
    """
    # Of few batches it says nothing.
    if more >= MOST_OF_ALL / 2:
        each, limit = 1e6 * (cost.cpu - before.cpu) / more, None if BUSY else A_BATCH
        yield Figure(f"{title}: work a foreign batch", each, "us", limit)
    ceiling = CEILING if number == 2 else None
    yield Figure(f"{title}: memory", cost.megabytes / before.megabytes, "x", ceiling)


_OF_ALL = {"tally of all", "finalize of all"}
"""Commands that concern all networks: each reads them for itself."""
_STEADY = {"submit", "tally", "receipt check", "finalize"}
"""Commands that end by themselves; a node polls as long as it takes to start."""


def main() -> None:
    with localnet(timestamp=1_800_000_000) as w3, tempfile.TemporaryDirectory() as folder:
        chain = Chain(w3)
        first = w3.eth.block_number + 1
        for _ in range(0, BLOCKS, 100):
            mine(w3, 100)
        crowd = Crowd(min(SIZES), chain.registry.address, w3, first, w3.eth.block_number)
        network, batch = own_network(chain)
        url = str(w3.provider.endpoint_uri)  # type: ignore[attr-defined]
        with crowded(url, crowd) as node:
            found = {}
            for size in SIZES:
                with chain.isolated():
                    at = Path(folder) / str(size)
                    bench = Bench(chain, network, node, at, batch)
                    found[size] = measure(bench, size)
            helped = bench.run("tally", "--help")
    shown = list(figures(found, helped))
    plain = [Figure("--help: time", helped.seconds, "s"), Figure("--help: work", helped.cpu, "s")]
    tell("commands where others commit too", [*plain, *shown])
    late = [one for one in shown if one.ceiling is not None and one.value > one.ceiling]
    if late:
        raise SystemExit("over their ceilings: " + "; ".join(one.name for one in late))


def own_network(chain: Chain) -> tuple[Network, str]:
    """Register a network with a model, and commit two batches; return it and the first's id."""
    owner, operator = chain.accounts[1], chain.accounts[OPERATOR]
    network = register(chain, owner, permissionless=True)
    hashes = digits.content_hash(), digits.spec_hash(), ZERO32
    mined = chain.send(owner, "registerModel", network.id, *hashes, "digits", "")
    network.model_id = mined.event(ModelRegistered).model_id
    network.join(operator)
    batch = network.commit(operator)
    network.commit(operator, slot=1)
    return network, to_hex(batch.id)


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready(url: str) -> bool:
    try:
        return bool(httpx.get(url, timeout=1).json()["ready"])
    except (httpx.HTTPError, ValueError, KeyError):
        return False


def _seen(url: str) -> bool:
    """Whether a verifier has read the own network's batches."""
    try:
        lines = httpx.get(url, timeout=1).text.splitlines()
    except httpx.HTTPError:
        return False
    told = [one.split() for one in lines if one.startswith("tallystick_batches_seen_total")]
    return bool(told) and float(told[0][1]) >= 2


if __name__ == "__main__":
    main()
