"""A local endpoint that answers and signs as dstack's vLLM proxy, NEAR AI or 0G are documented to.

Made from what they publish: an answer that is no stream is sent as compact JSON and, by dstack's
proxy, signed as Python's json.dumps writes it; a stream is signed as it is sent.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.enclave_http import HttpEnclave


@dataclass
class SigningEndpoint:
    """A server that is running; what it does may be changed at any time."""

    url: str
    enclave: HttpEnclave = field(default_factory=HttpEnclave)
    named: bool = False
    """The text begins with the model's name, as NEAR AI's model enclaves sign."""
    reencoded: bool = True
    """Signed as json.dumps writes it, not as it is sent."""
    chat_header: bool = False
    """The chat's id is in a header of 0G's alone."""
    late: int = 0
    """So many requests for a signature are answered with 404 first."""
    compressed: bool = False
    broken: bool = False
    """An answer that is no stream ends before its length."""
    token: str = ""
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is said of each chat; to be bent by tests."""
    asked: list[bytes] = field(default_factory=list)
    queries: list[dict[str, list[str]]] = field(default_factory=list)

    def sign(self, chat: str, request: bytes, response: bytes) -> None:
        text = f"{sha256(request).hexdigest()}:{sha256(response).hexdigest()}"
        if self.named:
            text = f"{json.loads(request)['model']}:{text}"
        self.said[chat] = {
            "text": text,
            "signature": "0x" + self.enclave.sign(text.encode()).hex(),
            "signing_address": "0x" + self.enclave.address.hex(),
            "signing_algo": "ecdsa",
        }


@contextlib.contextmanager
def signing_endpoint() -> Iterator[SigningEndpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            if here.token and self.headers.get("Authorization") != f"Bearer {here.token}":
                self._say(401, b'{"error": "no such key"}')
                return
            here.asked.append(request)
            chat = f"chatcmpl-{len(here.asked)}"
            if json.loads(request).get("stream"):
                self._stream(chat, request)
                return
            told = {"choices": [{"message": {"content": "vier, äöü \u2713"}}], "usage": 1.5}
            if not here.chat_header:
                told = {"id": chat, **told}
            sent = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
            here.sign(chat, request, json.dumps(told).encode() if here.reencoded else sent)
            self._say(200, sent, chat)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            here.queries.append(parse_qs(parts.query))
            said = here.said.get(unquote(parts.path.rpartition("/")[2]))
            if here.late or said is None:
                here.late = max(0, here.late - 1)
                self._say(404, b'{"error": "Chat id not found or expired"}')
                return
            self._say(200, json.dumps(said).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _stream(self, chat: str, request: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            sent = b""
            for word in ("2", "+2", " = vier"):
                chunk = {"id": chat, "choices": [{"delta": {"content": word}}]}
                part = b"data: " + json.dumps(chunk).encode() + b"\n\n\n"
                self.wfile.write(part)
                sent += part
            end = b"data: [DONE]\n\n"
            here.sign(chat, request, sent + end)
            self.wfile.write(end)

        def _say(self, status: int, body: bytes, chat: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if here.chat_header and chat:
                self.send_header("ZG-Res-Key", chat)
            if here.compressed:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body[:9] if here.broken else body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = SigningEndpoint(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
