"""Stores that answer garbage, without end, in drops, or never; or have pruned what they had."""

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Kind = Literal["garbage", "endless", "hanging", "dripping", "failing", "announcing", "pruned"]
_STATUS = {"failing": 500, "pruned": 410}


@contextlib.contextmanager
def bad_store(kind: Kind) -> Iterator[str]:
    """Run a store of this kind; yields its URL."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._answer()

        def _answer(self) -> None:
            if kind == "hanging":
                ended.wait()
                return
            self.send_response(_STATUS.get(kind, 200))
            if kind == "garbage":
                self.send_header("content-length", "4000")
            if kind == "announcing":
                self.send_header("content-length", str(1 << 40))
            self.send_header("connection", "close")
            self.end_headers()
            self.close_connection = True
            if kind == "garbage":
                self.wfile.write(b"PAR1" + bytes(3992) + b"PAR1")
            while kind in ("endless", "dripping", "announcing") and not ended.is_set():
                self.wfile.write(bytes(1 << 16 if kind != "dripping" else 1))
                if kind == "dripping":
                    time.sleep(0.05)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
