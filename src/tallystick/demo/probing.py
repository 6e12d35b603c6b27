"""Probes of the demo's operators: each answers over HTTP with its model, and is asked in turn."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tallystick.data.probe.endpoints import Endpoint
from tallystick.data.probe.prober import probe_all
from tallystick.data.probe.result import ProbeResult
from tallystick.demo.world import Stage, World
from tallystick.replay.engine import Engine

ROUNDS = 25
"""Times that each is asked."""
LOG = "probes.jsonl"
"""Name of the log in the demo's data folder."""


def probe_operators(
    world: World, engine: Engine, stages: Sequence[Stage], sample: bytes
) -> list[ProbeResult]:
    """Have each operator of some networks asked for an inference, ROUNDS times.

    Args:
        world: the chain.
        engine: what the operators run.
        stages: the networks.
        sample: what is asked.
    """
    with _answering(engine) as url:
        return probe(
            world,
            [
                _endpoint(world, stage, name, f"{url}/{name}", "POST", sample)
                for stage in stages
                for name in stage.operators
            ],
        )


def probe_node(world: World, stage: Stage, name: str, url: str) -> list[ProbeResult]:
    """Have an operator's process asked for its introduction, ROUNDS times."""
    return probe(world, [_endpoint(world, stage, name, url, "GET", b"")])


def probe(world: World, endpoints: Sequence[Endpoint]) -> list[ProbeResult]:
    """Ask each endpoint ROUNDS times; the time is the chain's, which has a clock of its own."""
    now = float(world.now)
    found = probe_all([*endpoints] * ROUNDS, concurrency=4)
    return [replace(one, time=now) for one in found]


def _endpoint(
    world: World, stage: Stage, name: str, url: str, method: str, body: bytes
) -> Endpoint:
    domain, operator = world.registry.domain, world.senders[name].address
    return Endpoint(domain.chain_id, world.registry.address, stage.id, operator, url, method, body)


@contextmanager
def _answering(engine: Engine) -> Iterator[str]:
    """Serve the model on a free port of this machine; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            sample = self.rfile.read(int(self.headers["Content-Length"]))
            with turn:
                (output,) = engine.infer([sample])
            self.send_response(200)
            self.send_header("Content-Length", str(len(output)))
            self.end_headers()
            self.wfile.write(output)

        def log_message(self, *_: object) -> None:
            pass

    turn = threading.Lock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
