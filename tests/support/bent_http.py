"""An HTTP server in front of another one that changes what it says."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Bend = Callable[[str, Any], Any]
"""Given a path and the JSON that is said there, returns what is said instead."""


class Bent:
    """A server that is running.

    Attributes:
        url: where.
        bend: what is changed; may be set anew at any time.
        dropped: so many requests are answered by closing the connection, after they were passed on.
        paths: that were asked for.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.bend: Bend = lambda path, said: said
        self.dropped = 0
        self.paths: list[str] = []


@contextlib.contextmanager
def bent_http(target: str) -> Iterator[Bent]:
    """Run a server in front of `target`, a URL."""
    client = httpx.Client(base_url=target, timeout=30)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on("GET", b"")

        def do_POST(self) -> None:
            self._pass_on("POST", self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _pass_on(self, method: str, body: bytes) -> None:
            bent.paths.append(self.path)
            answer = client.request(method, self.path, content=body)
            if bent.dropped:
                bent.dropped -= 1
                self.close_connection = True
                return
            said = answer.json()
            if answer.status_code == 200:
                said = bent.bend(self.path, said)
            text = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bent = Bent(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bent
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        client.close()
