"""Somebody who asks one operator over and over."""

import threading
import time

import httpx

from tallystick.protocol.hexes import to_hex
from tallystick.protocol.receipt import Receipt
from tests.node.together.lane import A_REQUEST, Lane, read_receipts
from tests.support.patience import PATIENCE


class Asker(threading.Thread):
    """Asks for one part after another, each again until it is answered.

    Args:
        lane: the operator's.
        part: how many inferences are asked at a time.
    """

    def __init__(self, lane: Lane, part: int) -> None:
        super().__init__(daemon=True)
        self.lane, self._part = lane, part
        self.requests: list[bytes] = []
        self.answers: dict[bytes, bytes] = {}
        """Output by request, each under the operator's signature."""
        self.receipts: dict[bytes, Receipt] = {}
        """By request: those that were handed out so far."""
        self.enough = threading.Event()
        """Set when no further part is wanted."""
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with httpx.Client(base_url=self.lane.url, timeout=PATIENCE) as client:
                while not self.enough.is_set():
                    self._ask(client)
                    self._fetch(client)
                    time.sleep(0.2)
        except BaseException as error:
            self.failure = error

    def _ask(self, client: httpx.Client) -> None:
        requests, body = self.lane.lines(self.lane.nonces(self._part))
        self.requests += requests
        while True:
            try:
                answer = client.post("/inferences", json=body)
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code == 200:
                outputs = self.lane.checked(requests, answer.json())
                self.answers |= dict(zip(requests, outputs, strict=True))
                return
            # A part whose process died in between, or a node that has not seen the chain.
            assert answer.status_code in (409, 503), answer.text
            time.sleep(0.1)

    def _fetch(self, client: httpx.Client) -> None:
        """Ask for receipts that are not there yet, the oldest first."""
        missing = [one for one in self.requests if one not in self.receipts][:A_REQUEST]
        asked = {"requests": [to_hex(one) for one in missing]}
        try:
            answer = client.post("/receipts", json=asked)
        except httpx.TransportError:
            return
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200:
            self.receipts |= read_receipts(missing, answer.json()["receipts"])
