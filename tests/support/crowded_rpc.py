"""A node of a chain on which others commit too: a proxy that adds their logs, made when asked for.

Foreign networks, each with one operator whose batches are final at once, fill the blocks from
`first` to `last`, which have no logs of their own. They are filtered by topic and range as a node
does it: what no foreign log can match costs nothing, as with a node's index. Of a foreign network
the registry says the counters that its logs add up to.
"""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from functools import cache, cached_property
from itertools import islice
from typing import Any

from web3 import Web3

from tallystick.chain.abi import contract
from tallystick.chain.logs import topic_of
from tallystick.protocol.abi_words import uint
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.enums import Outcome
from tallystick.protocol.events import (
    BatchCommitted,
    BatchFinalized,
    ModelRegistered,
    NetworkRegistered,
)
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.rules import model_id
from tallystick.protocol.totals import Totals
from tests.support.faulty_rpc import Exchange, faulty_rpc
from tests.support.raw_logs import raw_log
from tests.support.story import RULES

_POLLS = {"eth_getTransactionReceipt", "eth_getTransactionByHash"}
"""Not counted: how often a sender asks whether it is mined is a matter of the machine's load."""
LANE = 100
"""Batches of one foreign network."""
MOST_LOGS = 10_000
"""In one answer, as of public nodes."""
_TOO_MANY = f"query returned more than {MOST_LOGS} results"
COUNT = 5
"""Inferences of a foreign batch."""
_DIRECTORY = 2
"""Events of one that say what there is: it is registered, and a model in it."""
_EVENTS = _DIRECTORY + 2 * LANE
"""Of one: those, and each batch committed and final."""
_COMMITTED, _FINAL, _REGISTERED, _MODEL = (
    to_hex(topic_of(kind))
    for kind in (BatchCommitted, BatchFinalized, NetworkRegistered, ModelRegistered)
)
_OWNER = b"f" * 20
_TOTALS, _OWNER_OF = (
    to_hex(contract("Tallystick").functions()[name].selector) for name in ("totals", "ownerOf")
)


@dataclass
class Crowd:
    """Foreign batches, and the blocks that they are in."""

    batches: int
    address: bytes
    """The registry's."""
    w3: Web3
    """The chain, asked for the blocks."""
    first: int
    last: int

    @property
    def networks(self) -> int:
        return -(-self.batches // LANE)

    @property
    def events(self) -> int:
        return _DIRECTORY * self.networks + 2 * self.batches

    @cached_property
    def _blocks(self) -> dict[int, tuple[str, str]]:
        """Hash and time of each block, as hex text."""
        found = map(self.w3.eth.get_block, range(self.first, self.last + 1))
        return {one["number"]: (to_hex(one["hash"]), hex(one["timestamp"])) for one in found}

    def totals(self, network: str) -> Totals | None:
        """Return a foreign network's counters, by its id as hex text; None: it is none of these."""
        number = self._numbers.get(network)
        if number is None or number >= self.networks:
            return None
        done = COUNT * min(LANE, self.batches - number * LANE)
        return Totals(committed=done, unchallenged=done)

    @property
    def _numbers(self) -> dict[str, int]:
        return _numbers(self.networks)

    def logs(self, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the foreign logs that a query of eth_getLogs asks for, in order."""
        wanted = [None if one is None else _texts(one) for one in query.get("topics", [])]
        wanted += [None] * (4 - len(wanted))
        kinds, networks, operators, ids = wanted
        if kinds is not None and not kinds & {_COMMITTED, _FINAL, _REGISTERED, _MODEL}:
            return
        chosen = [number for number in range(self.networks) if self._is_asked(number, networks)]
        if operators is not None:
            chosen = [one for one in chosen if self._may_have(one, operators)]
        low, high = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        for number in chosen:
            events = min(_EVENTS, self.events - number * _EVENTS)
            directory = kinds is not None and kinds <= {_REGISTERED, _MODEL}
            only = _DIRECTORY if directory else events
            for place in range(only):
                at = number * _EVENTS + place
                block = self._block(at)
                if not low <= block <= high:
                    continue
                topics, data = _event(number, place)
                if all(
                    one is None or topic in one
                    for one, topic in zip((kinds, None, operators, ids), topics, strict=False)
                ):
                    yield self._log(at, block, topics, data)

    def _is_asked(self, number: int, networks: frozenset[str] | None) -> bool:
        return networks is None or _network(number) in networks

    def _may_have(self, number: int, operators: frozenset[str]) -> bool:
        return bool({_operator(number), to_hex(_OWNER.rjust(32, b"\0"))} & operators)

    def _block(self, at: int) -> int:
        return self.first + at * (self.last - self.first + 1) // self.events

    def _log(self, at: int, block: int, topics: list[str], data: str) -> dict[str, Any]:
        return {
            "address": to_hex(self.address),
            "topics": topics,
            "data": data,
            "blockNumber": hex(block),
            "blockHash": self._blocks[block][0],
            "blockTimestamp": self._blocks[block][1],
            "transactionHash": to_hex(uint(at)),
            "transactionIndex": "0x0",
            "logIndex": hex(at),
            "removed": False,
        }


@dataclass
class Traffic:
    """What went over the wire."""

    requests: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    """Bytes of questions."""
    received: int = 0
    """Bytes of answers."""

    @property
    def total(self) -> int:
        return sum(self.requests.values())


class CrowdedNode:
    """A running node; `crowd` may be changed, `traffic` taken, at any time."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd, self.traffic, self.url = crowd, Traffic(), ""
        self._lock = threading.Lock()

    def take(self) -> Traffic:
        """Return what went over the wire since the last time."""
        with self._lock:
            taken, self.traffic = self.traffic, Traffic()
        return taken

    def _foreign(self, query: dict[str, Any], own: list[Any]) -> Iterator[dict[str, Any]]:
        """Yield foreign logs; none where all batches that are asked for are the chain's own."""
        topics = query.get("topics", [])
        if len(topics) == 4 and topics[3] is not None:
            found = {log["topics"][3] for log in own if len(log["topics"]) == 4}
            if _texts(topics[3]) <= found:
                return
        yield from self.crowd.logs(query)

    def _tell(self, data: str, answer: dict[str, Any]) -> None:
        """Answer a call that the registry refuses because it doesn't know a foreign network."""
        told = self.crowd.totals("0x" + data[10:74])
        if told is None or data[:10] not in (_TOTALS, _OWNER_OF):
            return
        words = astuple(told) if data[:10] == _TOTALS else (int.from_bytes(_OWNER, "big"),)
        del answer["error"]
        answer["result"] = to_hex(b"".join(map(uint, words)))

    def _answer(self, exchange: Exchange) -> bool:
        several = isinstance(exchange.request, list)
        calls = exchange.request if several else [exchange.request]
        answers = exchange.answer if several else [exchange.answer]
        for call, answer in zip(calls, answers, strict=True):
            if call["method"] == "eth_getLogs" and "result" in answer:
                query, own = call["params"][0], answer["result"]
                found = list(islice(self._foreign(query, own), MOST_LOGS + 1))
                if len(found) > MOST_LOGS:
                    del answer["result"]
                    answer["error"] = {"code": -32005, "message": _TOO_MANY}
                    continue
                answer["result"] = [*found, *own]
            if call["method"] == "eth_call" and "error" in answer:
                self._tell(call["params"][0].get("data", ""), answer)
        exchange.content = json.dumps(exchange.answer).encode()
        if calls[0]["method"] in _POLLS:
            return False
        with self._lock:
            self.traffic.requests.update(call["method"] for call in calls)
            self.traffic.sent += len(json.dumps(exchange.request))
            self.traffic.received += len(exchange.content)
        return False


@contextlib.contextmanager
def crowded(upstream: str, crowd: Crowd) -> Iterator[CrowdedNode]:
    """Run a node in front of another one, with more batches than that has."""
    node = CrowdedNode(crowd)
    with faulty_rpc(upstream, node._answer) as proxy:
        node.url = proxy.url
        yield node


def _texts(one: str | list[str]) -> frozenset[str]:
    return frozenset([one] if isinstance(one, str) else one)


@cache
def _network(number: int) -> str:
    return to_hex(keccak256(b"foreign network" + uint(number)))


@cache
def _numbers(networks: int) -> dict[str, int]:
    return {_network(number): number for number in range(networks)}


def _operator(number: int) -> str:
    return to_hex(uint(int.from_bytes(keccak256(b"operator" + uint(number))[:20], "big")))


def _event(number: int, place: int) -> tuple[list[str], str]:
    """Return topics and data of a foreign network's next log."""
    network = bytes.fromhex(_network(number)[2:])
    if place == 0:
        log = raw_log(
            "NetworkRegistered",
            *(network, _OWNER, bytes(32), bytes(32), _rules(), b"foreign", b""),
        )
        return [to_hex(one) for one in log.topics], to_hex(log.data)
    content, spec, root, deadline = b"c" * 32, b"s" * 32, b"r" * 32, 1_800_001_000
    model = model_id(network, _OWNER, content, spec, bytes(32))
    if place == 1:
        log = raw_log(
            "ModelRegistered", *(network, _OWNER, model, content, spec, bytes(32), b"model", b"")
        )
        return [to_hex(one) for one in log.topics], to_hex(log.data)
    index, final = divmod(place - _DIRECTORY, 2)
    operator = _operator(number)
    stamp = Stamp(0, COUNT, 1_800_000_000, 1, 1_800_100_000)
    batch = Batch(
        network, bytes.fromhex(operator[26:]), index, model, root, stamp.count, deadline
    ).id()
    topics = [_FINAL if final else _COMMITTED, _network(number), operator, to_hex(batch)]
    outcome = uint(Outcome.UNCHALLENGED)
    if final:
        return topics, to_hex(outcome + uint(stamp.count))
    words = (model, root, uint(index), uint(deadline), stamp.pack(), bytes(32), outcome, uint(0))
    return topics, to_hex(b"".join(words))


@cache
def _rules() -> Any:
    return RULES.abi()
