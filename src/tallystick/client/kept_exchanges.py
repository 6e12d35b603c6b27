"""Kept exchanges: a folder for each answer of an endpoint that signs, whole after any crash.

request.bin       written before it is sent
response.bin      once the answer has come to its end
chat              the chat's id, by which the signature is asked for; gone once it is here
signature.json    once it holds
"""

import secrets
import shutil
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tallystick.client.enclave_endpoint import (
    REQUEST,
    RESPONSE,
    SIGNATURE,
    EnclaveEndpoint,
    keep,
    keep_bodies,
    read_exchange,
)
from tallystick.errors import AnswerError
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.http_signature import SignedExchange, fit, named_model
from tallystick.storage.durable import replace_file

CHAT = "chat"


class KeptExchange:
    """One exchange, as far as it has come.

    Args:
        folder: of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def is_signed(self) -> bool:
        """True if its signature is here; it held when it was written."""
        return (self.folder / SIGNATURE).exists()

    @property
    def is_answered(self) -> bool:
        """True if the whole answer is here."""
        return (self.folder / RESPONSE).exists()

    @property
    def waits(self) -> bool:
        """True if the answer is here, and its signature may still be had."""
        return (self.folder / CHAT).exists() and not self.is_signed

    def receive(self, response: bytes, chat: str) -> None:
        """Keep an answer that has come to its end."""
        keep_bodies(self.folder, (self.folder / REQUEST).read_bytes(), response)
        replace_file(self.folder / CHAT, chat.encode())

    def sign(self, endpoint: EnclaveEndpoint, signers: Collection[bytes] = ()) -> SignedExchange:
        """Ask for the signature, and keep the exchange under it.

        Args:
            endpoint: that gave the answer.
            signers: addresses of which one must have signed, 20 bytes each; none: any.

        Raises:
            OperatorError: the endpoint has none, or does not answer.
            AnswerError: it does not hold, or somebody else signed.
        """
        request = (self.folder / REQUEST).read_bytes()
        chat = (self.folder / CHAT).read_text()
        said = endpoint.signature(chat, named_model(request))
        exchange = fit(request, (self.folder / RESPONSE).read_bytes(), said)
        signer = exchange.answer.signer
        if signers and signer not in signers:
            raise AnswerError(f"{checksummed(signer)} signed, who is none of the signers expected")
        keep(self.folder, exchange)
        (self.folder / CHAT).unlink()
        return exchange

    def drop_unanswered(self) -> None:
        """Forget a request that no whole answer has come to."""
        if not self.is_answered:
            shutil.rmtree(self.folder)

    def read(self) -> SignedExchange:
        """Return the exchange, checked anew; see http_signature.fit for errors."""
        return read_exchange(*(self.folder / name for name in (REQUEST, RESPONSE, SIGNATURE)))


class KeptExchanges:
    """A folder of kept exchanges, in the order of their names: that in which they were asked.

    Args:
        path: of the folder; made with the first exchange.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, request: bytes) -> KeptExchange:
        """Keep a body that is about to be sent."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        kept = KeptExchange(self.path / f"{now}-{secrets.token_hex(4)}")
        replace_file(kept.folder / REQUEST, request)
        return kept

    def __iter__(self) -> Iterator[KeptExchange]:
        for found in sorted(self.path.glob(f"*/{REQUEST}")):
            yield KeptExchange(found.parent)
