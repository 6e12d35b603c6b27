"""A real HTTP server on this machine that behaves well or badly, by path."""

import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from tallystick.data.probe.endpoints import Endpoint
from tallystick.protocol.answer import NONCE_HEADER, SIGNATURE_HEADER, Answer
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.signature import account_of

KEY = b"k" * 32
DOMAIN = Domain(31337, b"c" * 20)
NETWORK, OPERATOR = b"n" * 32, b"o" * 20
BODY = b'{"label": 7}'


class Server(ThreadingHTTPServer):
    """Remembers what it was asked, and the first signature that it gave."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.recorded: str | None = None
        self.closing = Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up, as a probe does when its time is over."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, headers, asked))
        getattr(self, "on_" + self.path.strip("/"))()

    do_POST = do_GET

    def sign(self, body: bytes, key: bytes = KEY, operator: bytes = OPERATOR) -> str:
        answer = Answer.to(self.headers[NONCE_HEADER], NETWORK, operator, body)
        return answer.sign(DOMAIN, key)

    def answer(self, body: bytes = BODY, status: int = 200, *signatures: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for signature in signatures:
            self.send_header(SIGNATURE_HEADER, signature)
        self.end_headers()
        self.wfile.write(body)

    def on_unsigned(self) -> None:
        self.answer()

    def on_signed(self) -> None:
        self.answer(BODY, 200, self.sign(BODY))

    def on_encoded(self) -> None:
        # Not even gzip: what counts are the bytes as sent.
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(BODY)))
        self.send_header(SIGNATURE_HEADER, self.sign(BODY))
        self.end_headers()
        self.wfile.write(BODY)

    def on_empty(self) -> None:
        self.send_response(204)
        self.send_header(SIGNATURE_HEADER, self.sign(b""))
        self.end_headers()

    def on_other_key(self) -> None:
        self.answer(BODY, 200, self.sign(BODY, b"x" * 32))

    def on_other_operator(self) -> None:
        self.answer(BODY, 200, self.sign(BODY, KEY, b"x" * 20))

    def on_other_body(self) -> None:
        self.answer(BODY, 200, self.sign(b"another"))

    def on_twice(self) -> None:
        self.answer(BODY, 200, self.sign(BODY), self.sign(BODY))

    def on_garbage(self) -> None:
        self.answer(BODY, 200, "0xzz")

    def on_replayed(self) -> None:
        self.server.recorded = self.server.recorded or self.sign(BODY)
        self.answer(BODY, 200, self.server.recorded)

    def on_failing(self) -> None:
        self.answer(b"sorry", 500, self.sign(b"sorry"))

    def on_redirected(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/unsigned")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def on_slow(self) -> None:
        """The head at once, the body 0.6 s later."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        time.sleep(0.6)
        self.wfile.write(BODY)

    def on_hanging(self) -> None:
        self.server.closing.wait(30)

    def on_dripping(self) -> None:
        """A byte each 50 ms: no single read ever waits long."""
        self.send_response(200)
        self.send_header("Content-Length", "10000")
        self.end_headers()
        while not self.server.closing.wait(0.05):
            self.wfile.write(b".")

    def on_huge(self) -> None:
        """No length, and no end of its own."""
        self.send_response(200)
        self.end_headers()
        while not self.server.closing.is_set():
            self.wfile.write(b"." * 65536)

    def on_cut(self) -> None:
        """Less than was announced."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(BODY)
        self.close_connection = True

    def on_nonsense(self) -> None:
        self.wfile.write(b"not HTTP\r\n\r\n")
        self.close_connection = True


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def at(server: Server) -> Callable[..., Endpoint]:
    """Return an endpoint of the server by its path; `signed` names the signer."""

    def endpoint(path: str, signed: bool = False, **changes: Any) -> Endpoint:
        given: dict[str, Any] = {
            "chain_id": DOMAIN.chain_id,
            "core": DOMAIN.contract,
            "network_id": NETWORK,
            "operator": OPERATOR,
            "url": f"http://127.0.0.1:{server.server_port}/{path}",
            "signer": account_of(KEY) if signed else None,
            "timeout": 5.0,
        }
        return Endpoint(**{**given, **changes})

    return endpoint


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
