"""A proxy in front of a node that answers wrong where it is told to.

A fault is a function of an exchange: it may change the answer, or how it is sent. Faults that find
nothing to do (no logs to double) leave the exchange as it is, and say so.
"""

import contextlib
import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

HANG = 3.0
"""Seconds; tests give up on an answer far earlier."""


@dataclass
class Exchange:
    """A request and what the node answers to it."""

    request: Any
    answer: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    """Sent in place of the answer."""
    hang: float = 0.0
    """Seconds before it is sent."""
    cut: int = 0
    """Bytes at the end that are announced and never sent."""
    path: str = "/"
    """The one that was asked for."""
    sent: dict[str, str] = field(default_factory=dict)
    """Headers of the request, by name in lower case."""

    @property
    def method(self) -> str:
        """Of the first call, when it is a batch."""
        first = self.request[0] if isinstance(self.request, list) else self.request
        return str(first["method"])

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The answer's; none when it is not one of eth_getLogs."""
        if self.method != "eth_getLogs":
            return []
        found: list[dict[str, Any]] = self.answer.get("result") or []
        return found

    @property
    def span(self) -> int:
        """Blocks that eth_getLogs is asked for; 0 of any other method."""
        if self.method != "eth_getLogs":
            return 0
        (query,) = self.request["params"]
        return int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1

    @property
    def calls(self) -> list[tuple[Any, Any]]:
        """Each request with its answer, be it a batch or one."""
        several = isinstance(self.request, list)
        pair = (self.request, self.answer) if several else ([self.request], [self.answer])
        return list(zip(*pair, strict=True))

    def refuse(self, code: int, message: str, data: Any = None) -> None:
        """Answer with a JSON-RPC error."""
        error = {"code": code, "message": message} | ({} if data is None else {"data": data})
        self.answer = {"jsonrpc": "2.0", "id": self.request["id"], "error": error}


Fault = Callable[[Exchange], bool]
"""Returns whether it did something."""


class FaultyRpc:
    """The proxy, running; `fault` may be changed while it does."""

    def __init__(self, upstream: str, fault: Fault) -> None:
        self.fault = fault
        self.calls: Counter[str] = Counter()
        """Exchanges, by method."""
        self.faulted: Counter[str] = Counter()
        """Exchanges in which the fault did something, by method."""
        self._upstream = urlsplit(upstream)
        self._lock = threading.Lock()
        self._local = threading.local()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    proxy._serve(self, body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextlib.contextmanager
    def running(self) -> Iterator["FaultyRpc"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        exchange = Exchange(json.loads(body), json.loads(self._ask(body)), path=handler.path)
        exchange.sent = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            self.calls[exchange.method] += 1
            method = exchange.method
            if self.fault(exchange):
                self.faulted[method] += 1
        if exchange.hang:
            time.sleep(exchange.hang)
        content = exchange.content
        if content is None:
            content = json.dumps(exchange.answer).encode()
        handler.send_response(exchange.status)
        for name, value in exchange.headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: len(content) - exchange.cut])
        if exchange.cut:
            handler.close_connection = True

    def _ask(self, body: bytes) -> bytes:
        known: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if known is None:
            known = http.client.HTTPConnection(str(self._upstream.hostname), self._upstream.port)
            self._local.connection = known
        known.request("POST", "/", body, {"content-type": "application/json"})
        return known.getresponse().read()


@contextlib.contextmanager
def faulty_rpc(upstream: str, fault: Fault) -> Iterator[FaultyRpc]:
    """Run a proxy in front of a node."""
    with FaultyRpc(upstream, fault).running() as proxy:
        yield proxy


# When


def never(exchange: Exchange) -> bool:
    """Let everything through."""
    return False


def every_other(fault: Fault) -> Fault:
    """Apply a fault whenever it has not just been applied to the same request."""
    just: set[str] = set()

    def apply(exchange: Exchange) -> bool:
        calls = exchange.request if isinstance(exchange.request, list) else [exchange.request]
        key = json.dumps([(call["method"], call["params"]) for call in calls])
        if key in just:
            just.remove(key)
            return False
        if fault(exchange):
            just.add(key)
            return True
        return False

    return apply


def sometimes(faults: Sequence[Fault], share: float, seed: int) -> Fault:
    """Apply one of the faults to a share of the exchanges."""
    choose = random.Random(seed)

    def apply(exchange: Exchange) -> bool:
        return choose.random() < share and choose.choice(faults)(exchange)

    return apply


def in_turn(*faults: Fault) -> Fault:
    """Try each of the faults until one does something."""

    def apply(exchange: Exchange) -> bool:
        return any(fault(exchange) for fault in faults)

    return apply


# What: transport


def hangs(exchange: Exchange) -> bool:
    exchange.hang = HANG
    return True


def rate_limited(exchange: Exchange) -> bool:
    exchange.status, exchange.content = 429, b"Too Many Requests"
    exchange.headers["Retry-After"] = "0"
    return True


def server_error(exchange: Exchange) -> bool:
    exchange.status, exchange.content = 500, b""
    return True


def bad_gateway(exchange: Exchange) -> bool:
    exchange.status, exchange.content = 502, b"<html><h1>502 Bad Gateway</h1></html>"
    return True


def cut_off(exchange: Exchange) -> bool:
    """The connection ends before the body does."""
    exchange.cut = 10
    return True


def truncated(exchange: Exchange) -> bool:
    """The body ends in the middle of the JSON, as if that were all."""
    exchange.content = json.dumps(exchange.answer).encode()[:-7]
    return True


def not_json(exchange: Exchange) -> bool:
    exchange.content = b"<html>The site is down for maintenance.</html>"
    return True


def null_block(exchange: Exchange) -> bool:
    if exchange.method != "eth_getBlockByNumber":
        return False
    for answer in exchange.answer if isinstance(exchange.answer, list) else [exchange.answer]:
        answer["result"] = None
    return True


def batch_reversed(exchange: Exchange) -> bool:
    if not isinstance(exchange.answer, list):
        return False
    exchange.answer.reverse()
    return True


def no_batches(exchange: Exchange) -> bool:
    """One refusal for the whole batch."""
    if not isinstance(exchange.request, list):
        return False
    error = {"code": -32600, "message": "batch requests are not supported"}
    exchange.answer = {"jsonrpc": "2.0", "id": None, "error": error}
    return True


def no_batches_http(exchange: Exchange) -> bool:
    """The same, and by the status."""
    exchange.status = 400 if no_batches(exchange) else 200
    return exchange.status == 400


def behind(url: str, head: int) -> Fault:
    """A node that has come to block `head`; `url` is of one that is further."""

    def fault(exchange: Exchange) -> bool:
        return sum(hide(*pair) for pair in exchange.calls) > 0

    def hide(call: Any, answer: Any) -> bool:
        if call["method"] == "eth_blockNumber":
            answer["result"] = hex(head)
        elif call["method"] == "eth_getBlockByNumber":
            if call["params"][0] in ("latest", "safe", "finalized"):
                body = {**call, "params": [hex(head), False]}
                answer["result"] = httpx.post(url, json=body).json()["result"]
            elif int(call["params"][0], 16) <= head:
                return False
            else:
                answer["result"] = None
        elif call["method"] == "eth_getLogs":
            asked = int(call["params"][0]["toBlock"], 16)
            if asked <= head:
                return False
            answer.pop("result")
            said = f"BlockOutOfRangeError: block height is {head} but requested was {asked}"
            answer["error"] = {"code": -32602, "message": said}
        else:
            return False
        return True

    return fault


# What: logs


def blocks_behind(blocks: int) -> Fault:
    """Have a node's head be so many blocks back; all that it is asked besides, it knows."""

    def fault(exchange: Exchange) -> bool:
        if exchange.method != "eth_blockNumber":
            return False
        exchange.answer["result"] = hex(int(exchange.answer["result"], 16) - blocks)
        return True

    return fault


def other_blocks(exchange: Exchange) -> bool:
    """A log is added of a block that was not asked for."""
    if not exchange.logs:
        return False
    (query,) = exchange.request["params"]
    beyond = int(query["toBlock"], 16) + 1
    exchange.logs.append({**exchange.logs[-1], "blockNumber": hex(beyond)})
    return True


def other_contract(exchange: Exchange) -> bool:
    if not exchange.logs:
        return False
    exchange.logs.append({**exchange.logs[-1], "address": "0x" + "ab" * 20, "logIndex": "0xfff"})
    return True


def other_fork(exchange: Exchange) -> bool:
    """One log of a block is of another block of that number."""
    if not exchange.logs:
        return False
    strange = {**exchange.logs[-1], "blockHash": "0x" + "cd" * 32, "logIndex": "0xffe"}
    exchange.logs.append(strange)
    return True


def other_head(exchange: Exchange) -> bool:
    """All logs of the last block asked for are another fork's, as from another backend."""
    last = exchange.request["params"][0]["toBlock"] if exchange.logs else None
    strange = [log for log in exchange.logs if log["blockNumber"] == last]
    for log in strange:
        log["blockHash"] = "0x" + "cd" * 32
    return bool(strange)


def out_of_order(exchange: Exchange) -> bool:
    if len(exchange.logs) < 2:
        return False
    exchange.logs.reverse()
    return True


def doubled(exchange: Exchange) -> bool:
    if not exchange.logs:
        return False
    exchange.logs.extend(list(exchange.logs))
    return True


def contradicting(exchange: Exchange) -> bool:
    """Two different logs at one place."""
    if not exchange.logs:
        return False
    exchange.logs.append({**exchange.logs[0], "data": "0x" + "ff" * 32})
    return True


def removed(exchange: Exchange) -> bool:
    """Logs of a fork that was given up come along, marked as removed."""
    if not exchange.logs:
        return False
    gone = [{**log, "removed": True, "blockHash": "0x" + "cd" * 32} for log in exchange.logs]
    exchange.logs.extend(gone)
    return True


def malformed(exchange: Exchange) -> bool:
    if not exchange.logs:
        return False
    exchange.logs[0]["transactionHash"] = "0x1234"
    return True


def unstamped(exchange: Exchange) -> bool:
    """Logs come without their blocks' times, as from most nodes."""
    for log in exchange.logs:
        del log["blockTimestamp"]
    return bool(exchange.logs)


def adorned(exchange: Exchange) -> bool:
    """Logs have fields of the node's own, and an address in mixed case; no space is between."""
    for log in exchange.logs:
        log |= {"l1": {"fee": "0x1"}, "tags": ["}", {}], "blobGas": None}
        log["address"] = "0x" + log["address"][2:].upper()
    exchange.content = json.dumps(exchange.answer, separators=(",", ":")).encode()
    return bool(exchange.logs)


def compact(exchange: Exchange) -> bool:
    """As most nodes write it: without a space."""
    exchange.content = json.dumps(exchange.answer, separators=(",", ":")).encode()
    return bool(exchange.logs)


def at_most(logs: int, code: int, message: str, data: Any = None, status: int = 200) -> Fault:
    """Refuse ranges with more logs, in a provider's words."""

    def apply(exchange: Exchange) -> bool:
        if len(exchange.logs) <= logs:
            return False
        exchange.refuse(code, message, data)
        exchange.status = status
        return True

    return apply
