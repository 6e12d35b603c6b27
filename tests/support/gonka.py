"""A node of Gonka as a stand-in: its REST answers for epochs."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tallystick.networks.adapters.gonka import PATH


def host(
    name: str, count: int, valid: int = 0, invalid: int = 0, missed: int = 0
) -> dict[str, Any]:
    """A participant's summary; numbers are text, as Cosmos' JSON has them."""
    return {
        "participant_id": name,
        "inference_count": str(count),
        "missed_requests": str(missed),
        "validated_inferences": str(valid),
        "invalidated_inferences": str(invalid),
        "earned_coins": "7",
    }


@dataclass
class GonkaNode:
    """A node that is running."""

    url: str = ""
    epochs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    status: int = 200
    asked: list[int] = field(default_factory=list)


@contextlib.contextmanager
def gonka_node(epochs: dict[int, list[dict[str, Any]]]) -> Iterator[GonkaNode]:
    node = GonkaNode(epochs=epochs)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            epoch = int(self.path.removeprefix(PATH))
            node.asked.append(epoch)
            known = epoch in node.epochs
            body = json.dumps({"epochPerformanceSummary": node.epochs.get(epoch, [])}).encode()
            self.send_response(node.status if known else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests' output is not for this."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    node.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()
