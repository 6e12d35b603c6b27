"""A chain that mines by itself, two operators' nodes and three verifiers' on it.

The first operator's network has its model run again on chain in a dispute, the second one's has a
committee that judges; two others audit, one each. Members of all are the three verifiers. All
nodes reach the chain through one proxy, and each operator's store through a gate of its own.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tallystick.chain.abi import contract
from tallystick.chain.localnet import advance, localnet
from tallystick.chain.logs import read_events
from tallystick.demo.processes import free_port
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.events import Event, ModelRegistered
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.receipt import Receipt
from tests.node.together.bendable import Served, plain, qi8
from tests.node.together.gate import Gate
from tests.node.together.lane import Lane
from tests.node.verifier.running import Running
from tests.node.verifier.stage import BOND, RULES, STAKE, VERIFIERS, LiveChain
from tests.support.chain import Chain
from tests.support.committee import Committee
from tests.support.committee import found as found_committee
from tests.support.faulty_rpc import FaultyRpc, faulty_rpc, never
from tests.support.patience import PATIENCE
from tests.support.story import HOUR, Network, fund, register

OWNER, FIRST, SECOND, DEMANDER = 1, 2, 3, 4
THRESHOLD, DRAWN = 2, 24
ALL_DRAWN = 4000
"""Leaves that a verifier runs again of its own accord: of a batch of 200, all."""
BLOCK_EVERY = 1
"""Seconds."""
TURN_EVERY = 8
"""Seconds: on a busy machine, whose turn it is needs some to notice."""


@dataclass
class World:
    """Everything that runs."""

    chain: Chain
    committees: tuple[Committee, ...]
    """Two that audit, in the order of the lanes, and one that judges."""
    rpc: FaultyRpc
    lanes: tuple[Lane, Lane]
    verifiers: list[Running]
    _transactions: list[tuple[bytes, bytes]] = field(default_factory=list)
    _blocks_read: int = 0

    @property
    def replayed(self) -> Lane:
        """The operator whose model the arbiter runs again."""
        return self.lanes[0]

    @property
    def judged(self) -> Lane:
        """The operator whose disputes the committee judges."""
        return self.lanes[1]

    def other(self, lane: Lane) -> Lane:
        (found,) = [one for one in self.lanes if one is not lane]
        return found

    def record(self, batch_id: bytes) -> BatchState:
        """What the chain says of a batch."""
        return self.chain.ledger().batches[batch_id]

    def events(self, kind: type[Event], batch_id: bytes | None = None) -> list[Any]:
        """The registry's events of a kind, of one batch where one is named."""
        w3, address = self.chain.w3, self.chain.registry.address
        return [
            event
            for event in read_events(w3, address, 0, w3.eth.block_number)
            if type(event) is kind and (batch_id is None or event.batch_id == batch_id)  # type: ignore[attr-defined]
        ]

    def later(self, seconds: int) -> None:
        """Let time pass on the chain."""
        advance(self.chain.w3, seconds)

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait until something is true; show what the nodes logged when it does not become so."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {PATIENCE:g} s: {what}\n{self.said()}")
            time.sleep(0.1)

    def said(self) -> str:
        """The end of each node's log."""
        logs = [lane.node.log for lane in self.lanes] + [one.log for one in self.verifiers]
        return "\n".join(f"--- {log}\n{log.read_text(errors='replace')[-3000:]}" for log in logs)

    def receipts(self, lane: Lane, requests: list[bytes]) -> dict[bytes, Receipt]:
        """Wait for the receipts of requests, and check them against the chain; by request."""
        receipts: dict[bytes, Receipt] = {}

        def all_there() -> bool:
            receipts.update(lane.receipts(requests))
            return len(receipts) == len(requests)

        self.until(all_there, f"all that {lane.model.name} answered is committed")
        ledger = self.chain.ledger()
        for one in receipts.values():
            on_chain = ledger.batches[one.batch_id]
            assert (one.batch, one.transaction) == (on_chain.batch, on_chain.committed.tx_hash)
        places = {(one.batch_id, one.opening.leaf_index) for one in receipts.values()}
        assert len(places) == len(requests)
        return receipts

    def committed(self, lane: Lane, requests: list[bytes]) -> set[bytes]:
        """As receipts; returns the ids of their batches."""
        return {one.batch_id for one in self.receipts(lane, requests).values()}

    def looked(self, number: int) -> list[dict[str, Any]]:
        """What a verifier logged of the batches that it looked at."""
        lines = self.verifiers[number].text().splitlines()
        return [json.loads(line) for line in lines if '"looked at a batch"' in line]

    def found(self, number: int, batch_id: bytes) -> list[str]:
        """A verifier's findings on a batch, in turn."""
        mine = to_hex(batch_id)
        return [line["finding"] for line in self.looked(number) if line["batch"] == mine]

    def sent(self, number: int, batch_id: bytes, *names: str) -> int:
        """How many of these calls on a batch a verifier has sent, those that were refused by the
        block that holds them included."""
        functions = contract("Tallystick").functions()
        selectors = {functions[name].selector for name in names}
        own, root = self.chain.accounts[VERIFIERS[number]], self.record(batch_id).batch.root
        # Calls name a batch by its fields.
        return sum(
            sender == own and data[:4] in selectors and root in data
            for sender, data in self._all_sent()
        )

    def first(self, batch_id: bytes) -> int:
        """The account of the verifier whose turn it is first to do something about a batch."""
        place = int.from_bytes(batch_id[:8], "big") % len(VERIFIERS)
        return VERIFIERS[place]

    def pass_turns(self) -> None:
        """Let the time pass in which others would make a move too."""
        last = self.chain.w3.eth.block_number + 3 * TURN_EVERY // BLOCK_EVERY
        self.until(lambda: self.chain.w3.eth.block_number >= last, "turns pass")

    def _all_sent(self) -> list[tuple[bytes, bytes]]:
        """Senders and data of all transactions."""
        for block in range(self._blocks_read, self.chain.w3.eth.block_number + 1):
            found = self.chain.w3.eth.get_block(block, full_transactions=True)
            for tx in found["transactions"]:
                self._transactions.append((bytes.fromhex(tx["from"][2:]), bytes(tx["input"])))
            self._blocks_read = block + 1
        return self._transactions

    def finish(self) -> None:
        """Have everything that is open become final."""
        rules = self.replayed.network.rules
        # The hour in which a batch can be archived comes before a commit may take its slot.
        self.later(rules.challenge_window + HOUR + 1)
        self.until(
            lambda: all(lane.network.totals().open == 0 for lane in self.lanes), "all is final"
        )
        self._wait_for_operators()

    def heal(self) -> None:
        """Have everything be as at the start: nodes run and are honest, nothing fails."""
        self.rpc.fault = never
        for lane in self.lanes:
            lane.run(lane.model.runner)
            lane.gate.target = lane.node.url
        for lane in self.lanes:
            lane.node.wait()
        for one in self.verifiers:
            if one.process.poll() is not None:
                one.restart()
        self._wait_for_operators()

    def _wait_for_operators(self) -> None:
        """Wait until operators know what time it is: they check deadlines by the block they saw."""
        latest = self.chain.w3.eth.block_number

        def seen(lane: Lane) -> bool:
            return bool(lane.node.client.get("/").json()["block"] >= latest)

        self.until(lambda: all(map(seen, self.lanes)), "operators see the latest block")


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Have everything run; it is gone at the end."""
    with ExitStack() as stack:
        w3 = stack.enter_context(localnet())
        chain = LiveChain(w3)
        signers = [chain.accounts[number] for number in VERIFIERS]
        judges = found_committee(chain, THRESHOLD, 3, signers)
        replay = bytes.fromhex(chain.deploy("Replay").address[2:])
        auditors = [
            found_committee(chain, THRESHOLD, 3, signers, min_drawn=DRAWN, arbiter=arbiter)
            for arbiter in (replay, judges.address)
        ]
        committees = (*auditors, judges)
        endpoint = str(w3.provider.endpoint_uri)  # type: ignore[attr-defined]
        rpc = stack.enter_context(faulty_rpc(endpoint, never))
        common = {
            "rpc": rpc.url,
            "registry": to_hex(chain.registry.address),
            "first_block": 0,
            "poll_every": 0.3,
        }

        def lane(account: int, served: Served, committee: Committee, arbiter: bytes) -> Lane:
            network = _network(chain, committee, served, arbiter)
            network.join(chain.accounts[account], STAKE)
            gate = stack.enter_context(Gate(None).standing())
            operator = chain.accounts[account]
            home = folder / served.name
            return Lane(chain, network, served, operator, home, account, common, gate)

        lanes = (
            lane(FIRST, qi8(), auditors[0], replay),
            lane(SECOND, plain(), auditors[1], judges.address),
        )
        for number in (DEMANDER, *VERIFIERS):
            fund(chain, ZERO_ADDRESS, chain.accounts[number], 100 * BOND)
        w3.provider.make_request("evm_setIntervalMining", [BLOCK_EVERY])  # type: ignore[arg-type]
        here = World(chain, committees, rpc, lanes, [])
        stack.callback(_end, here)
        here.verifiers += _verifiers(lanes, committees, common, folder)
        here.heal()
        for one in here.verifiers:
            here.until(lambda one=one: '"event": "started"' in one.text(), "a verifier starts")
        yield here


def _network(chain: Chain, committee: Committee, served: Served, arbiter: bytes) -> Network:
    owner, attestors = chain.accounts[OWNER], (committee.address, ZERO_ADDRESS, ZERO_ADDRESS)
    network = register(chain, owner, solicited=True, arbiter=arbiter, attestors=attestors, **RULES)
    hashes = (served.content_hash, served.spec_hash, ZERO32)
    mined = chain.send(owner, "registerModel", network.id, *hashes, served.name, served.file.name)
    network.model_id = mined.event(ModelRegistered).model_id
    return network


def _verifiers(
    lanes: tuple[Lane, Lane],
    committees: tuple[Committee, ...],
    common: dict[str, Any],
    folder: Path,
) -> list[Running]:
    ports = [free_port() for _ in VERIFIERS]
    peers = [f"http://127.0.0.1:{port}" for port in ports]
    models = [
        {
            "id": to_hex(lane.network.model_id),
            "file": str(lane.model.file),
            "runner": lane.model.runner,
        }
        for lane in lanes
    ]
    started = []
    for number, port in zip(VERIFIERS, ports, strict=True):
        own = {
            "networks": [to_hex(lane.network.id) for lane in lanes],
            "stores": [f"{lane.gate.url}/batches" for lane in lanes],
            "models": models,
            "committees": [to_hex(committee.address) for committee in committees],
            "share_port": port,
            "share_peers": [url for url in peers if not url.endswith(f":{port}")],
            "drawn": ALL_DRAWN,
            "missing_after": 3.0,
            "look_every": 1.0,
            "turn_every": TURN_EVERY,
            "fetch_timeout": 2.0,
            "fetch_max_size": 1 << 20,
            "demands_per_batch": 1,
        }
        home = common | {"data": str(folder / f"verifier {number}")}
        started.append(Running(None, number, folder, {"common": home, "verifier": own}))  # type: ignore[arg-type]
    return started


def _end(here: World) -> None:
    for one in here.verifiers:
        one.end()
    for lane in here.lanes:
        for node in lane.nodes.values():
            if node.process is not None and node.process.poll() is None:
                node.kill()
            node.client.close()
