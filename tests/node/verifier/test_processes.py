"""Verifiers as real processes: Silverback, Ape's accounts, a chain, and things that fail.

three    one operator honest, one wrong at 1 %, one withholding; stores that answer garbage, without
         end, or never come first; nodes are killed meanwhile, and the RPC fails one call in five
workers  two over Redis, one killed
"""

import os
import random
import re
import signal
import time
from pathlib import Path

from tallystick.protocol.enums import Cause, Grade, State
from tests.node.verifier.bad_store import bad_store
from tests.node.verifier.running import Running, redis, running, until
from tests.node.verifier.stage import OTHER, VERIFIERS, Stage
from tests.support.faulty_rpc import (
    bad_gateway,
    cut_off,
    faulty_rpc,
    not_json,
    rate_limited,
    server_error,
    sometimes,
)
from tests.support.patience import PATIENCE
from tests.support.story import Committed

FAULTS = (rate_limited, server_error, bad_gateway, cut_off, not_json)


def endpoint(stage: Stage) -> str:
    return str(stage.chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]


def challenges(stage: Stage, batch_id: bytes) -> int:
    """How often a batch was challenged, by its events."""
    from tallystick.chain.logs import read_events
    from tallystick.protocol.events import BatchChallenged

    found = read_events(
        stage.chain.w3, stage.chain.registry.address, 0, stage.chain.w3.eth.block_number
    )
    return sum(isinstance(event, BatchChallenged) and event.batch_id == batch_id for event in found)


class Killer:
    """Kills a process and starts it again, now and then."""

    def __init__(self, nodes: list[Running], seed: int) -> None:
        self._nodes, self._random = nodes, random.Random(seed)
        self._next = time.monotonic() + self._random.uniform(5, 9)

        self.kills = 0

    def pass_by(self) -> None:
        if time.monotonic() > self._next:
            self.kills += 1
            self._random.choice(self._nodes).restart()
            self._next = time.monotonic() + self._random.uniform(12, 18)


def test_processes__honest_wrong_and_withheld__each_gets_its_due(staged: Stage) -> None:
    with (
        faulty_rpc(endpoint(staged), sometimes(FAULTS, 0.2, seed=1)) as rpc,
        bad_store("garbage") as garbage,
        bad_store("endless") as endless,
        bad_store("hanging") as hanging,
        running(
            staged,
            VERIFIERS,
            common={"rpc": rpc.url},
            stores=[garbage, endless, hanging, str(staged.store)],
            drawn=300,
            fetch_timeout=0.3,
            look_every=0.5,
            turn_every=1.0,
        ) as nodes,
    ):
        good = staged.commit(60)
        bad = staged.commit(300, wrong=[50, 150, 250])
        gone = staged.commit(40, operator=OTHER, kept=False)
        staged.seeded()
        killer = Killer(nodes, seed=3)

        def judged() -> bool:
            killer.pass_by()
            audited = staged.record(good).grade is Grade.AUDITED
            return audited and staged.record(bad).state is State.REJECTED

        until(judged, "audited and rejected", *nodes)
        if not killer.kills:
            nodes[0].restart()
        until(lambda: staged.record(gone).state is State.DISPUTED, "demanded", *nodes)
        staged.later(3700)
        until(lambda: staged.record(gone).state is State.REJECTED, "timed out", *nodes)
        assert rpc.faulted.total() > rpc.calls.total() / 8
        for one in nodes:
            one.process.terminate()
        # Of one that has just begun anew, Python itself takes the signal.
        codes = [one.process.wait(PATIENCE) for one in nodes]
        assert 0 in codes
        assert set(codes) <= {0, -15}
    assert staged.record(bad).cause is Cause.RULING
    assert staged.record(gone).cause is Cause.TIMEOUT
    assert challenges(staged, bad.id) == 1


def workers(node: Running) -> list[int]:
    """Process ids of a node's workers, all there ever were."""
    return [int(pid) for pid in re.findall(r'"pid": (\d+), "event": "worker started"', node.text())]


def test_workers__one_of_two_killed__the_other_goes_on(staged: Stage) -> None:
    # The committee needs two; the other one is in this process.
    other = staged.verifier(VERIFIERS[1])

    def audited(batch: Committed) -> bool:
        other.tick()
        return staged.record(batch).grade is Grade.AUDITED

    with redis() as url, running(staged, VERIFIERS[:1], broker=url, workers=2) as nodes:
        (node,) = nodes
        until(lambda: len(workers(node)) == 2, "two workers", node)
        first = staged.commit(60)
        staged.seeded()
        until(lambda: audited(first), "audited", node)
        os.kill(workers(node)[0], signal.SIGKILL)
        second = staged.commit(60)
        staged.seeded()
        until(lambda: audited(second), "audited", node)
        until(lambda: len(workers(node)) == 3, "a worker in its place", node)
        # Workers go with whoever began them.
        node.kill()
        until(lambda: not any(alive(pid) for pid in workers(node)), "all gone")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
