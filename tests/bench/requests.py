"""What following one chain asks of its node: `python -m tests.bench.requests`; JSON=1.

A stand-in of 0G on anvil, behind a proxy that counts. CALLS sets how many settlement calls of 50
settlements there are, each in a block of its own (default 20).
"""

import json
import os
import tempfile
from pathlib import Path

from tallystick.chain.localnet import localnet, mine
from tallystick.networks.adapter import Place
from tallystick.networks.follow import follow
from tallystick.networks.networks_file import ChainNodes, Followed, NetworksFile
from tallystick.networks.registered import adapter
from tests.bench.figures import Figure, tell
from tests.integration.networks.conftest import CHAIN_ID, url_of
from tests.integration.networks.test_zero_g import ZeroG
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, faulty_rpc
from tests.support.standins import Standin

CALLS = int(os.environ.get("CALLS", "20"))
A_CALL = 50
QUIET = 300
"""Blocks without a log: an hour at 12 seconds."""
RUNS, CHAINS = 24, 50
"""Runs a day, and chains, of the figures that are derived."""


class Meter:
    """Requests, their calls, and bytes of the answers."""

    def __init__(self) -> None:
        self.requests = self.calls = self.size = 0

    def count(self, exchange: Exchange) -> bool:
        self.requests += 1
        self.calls += len(exchange.calls)
        self.size += len(json.dumps(exchange.answer))
        return False


def main() -> None:
    with localnet() as w3, tempfile.TemporaryDirectory() as place:
        chain = Chain(w3)
        zero_g = ZeroG(Standin(chain, "ZeroG"))
        zero_g.acknowledge()

        def run() -> Meter:
            meter = Meter()
            with faulty_rpc(url_of(chain), meter.count) as proxy:
                nodes = {CHAIN_ID: ChainNodes((proxy.url,), depth=0)}
                where = Place(CHAIN_ID, zero_g.contract.address, zero_g.contract.first_block)
                followed = (Followed("0g", adapter("0g"), (where,), {}),)
                (state,) = follow(Path(place), NetworksFile(nodes, followed))
            assert not state.failures, state.failures
            return meter

        run()
        mine(w3, QUIET)
        quiet = run()
        for _ in range(CALLS):
            zero_g.settle(*(zero_g.entry() for _ in range(A_CALL)))
        busy = run()
    calls, size = busy.calls - quiet.calls, busy.size - quiet.size
    tell(
        f"following one contract; a run after {QUIET} quiet blocks, and one after {CALLS} calls",
        [
            Figure("quiet run: HTTP requests", quiet.requests, "requests"),
            Figure("quiet run: calls", quiet.calls, "calls"),
            Figure("quiet run: answers", quiet.size, "bytes"),
            Figure("busy run: HTTP requests", busy.requests, "requests"),
            Figure("busy run: calls beyond, a transaction", calls / CALLS, "calls"),
            Figure("busy run: bytes beyond, a settlement", size / CALLS / A_CALL, "bytes"),
            Figure(f"a quiet chain, {RUNS} runs a day", RUNS * quiet.calls, "calls/day"),
            Figure(f"a quiet chain, {RUNS} runs a day", RUNS * quiet.size, "bytes/day"),
            Figure(f"{CHAINS} quiet chains", CHAINS * RUNS * quiet.calls, "calls/day"),
            Figure(f"{CHAINS} quiet chains", CHAINS * RUNS * quiet.size, "bytes/day"),
        ],
    )


if __name__ == "__main__":
    main()
