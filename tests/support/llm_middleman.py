"""A server between a client and an operator's node: it writes down, alters, cuts off or refuses."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.support.patience import PATIENCE

Alter = Callable[[dict[str, Any]], None]
"""Change an answer, or a chunk of one, in place."""


class Middleman:
    """Passes everything on, until one of its fields says otherwise.

    Args:
        node: URL of the operator's.
    """

    def __init__(self, node: str) -> None:
        self.node = node
        self.alter: Alter = lambda said: None
        self.refusal: tuple[int, str] | None = None
        """Status and code with which answers are refused."""
        self.cuts = 0
        """Streams that are still to be cut off behind some text."""
        self.operator: str | None = None
        """Address that it claims to be."""
        self.seen: list[dict[str, str]] = []
        """Headers of requests for answers."""
        self.url = ""


@contextmanager
def between(node: str) -> Iterator[Middleman]:
    """Have a middleman for a while."""
    middleman = Middleman(node)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = httpx.get(middleman.node + self.path, timeout=PATIENCE).json()
            if self.path == "/" and middleman.operator:
                said["operator"] = middleman.operator
            self._give(200, "application/json", json.dumps(said).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = self.path.startswith("/v1/")
            if answer:
                middleman.seen.append({name.lower(): value for name, value in self.headers.items()})
            if answer and middleman.refusal:
                status, code = middleman.refusal
                error = {"message": "no", "type": "x", "param": None, "code": code}
                return self._give(status, "application/json", json.dumps({"error": error}).encode())
            names = ("content-type", "x-tallystick-request")
            headers = {name: self.headers[name] for name in names if name in self.headers}
            response = httpx.post(
                middleman.node + self.path, content=body, headers=headers, timeout=PATIENCE
            )
            said = response.content
            if answer and response.status_code == 200:
                said = _altered(said, middleman)
            self._give(response.status_code, response.headers["content-type"], said)

        def _give(self, status: int, kind: str, said: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Set-Cookie", "who=you")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    middleman.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield middleman
    finally:
        server.shutdown()
        server.server_close()


def _altered(said: bytes, middleman: Middleman) -> bytes:
    if not said.startswith(b"data: "):
        answer = json.loads(said)
        middleman.alter(answer)
        return json.dumps(answer).encode()
    events = said.decode().split("\n\n")
    if middleman.cuts:
        middleman.cuts -= 1
        return "\n\n".join(events[: len(events) // 2]).encode() + b"\n\n"
    for place, event in enumerate(events):
        if event.startswith("data: {"):
            chunk = json.loads(event.removeprefix("data: "))
            middleman.alter(chunk)
            events[place] = f"data: {json.dumps(chunk)}"
    return "\n\n".join(events).encode()
