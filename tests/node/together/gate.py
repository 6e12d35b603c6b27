"""A port of this machine that leads to whatever it is told to, or nowhere."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class Gate:
    """Passes bytes on, both ways; where to may be changed while it stands.

    Args:
        target: URL of what is behind it; None: whoever comes is cut off.

    `most` is the number of bytes of the longest answer that has passed.
    """

    def __init__(self, target: str | None) -> None:
        self.target, self.most = target, 0
        gate = self

        class Passage(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if gate.target is not None:
                    with contextlib.suppress(OSError):
                        gate._join(self.request, gate.target)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Passage)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextlib.contextmanager
    def standing(self) -> Iterator["Gate"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _join(self, near: socket.socket, target: str) -> None:
        parts = urlsplit(target)
        with socket.create_connection((str(parts.hostname), int(parts.port or 80))) as far:
            threading.Thread(target=_pass_on, args=(near, far), daemon=True).start()
            self.most = max(self.most, _pass_on(far, near))


def _pass_on(source: socket.socket, sink: socket.socket) -> int:
    """Pass bytes on until one side ends; the other side is ended then. Returns how many."""
    passed = 0
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
            passed += len(piece)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    return passed
