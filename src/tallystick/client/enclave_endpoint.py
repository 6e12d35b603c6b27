"""An endpoint whose enclave signs its answers: asked, with both bodies kept byte for byte.

It speaks OpenAI's API, and `GET {base}/signature/{chat id}` beside it: dstack's vLLM proxy and NEAR
AI under .../v1, 0G under .../v1/proxy. Whether the key is an enclave's the endpoint cannot say;
for that see the resolver's endorsers.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tallystick.closing import Closing
from tallystick.errors import AnswerError, MissingExtraError, OperatorError
from tallystick.protocol.enclave_http import signed_text
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.http_signature import (
    SaidSignature,
    SignedExchange,
    fit,
    named_model,
    read_signature,
    text_field,
)
from tallystick.storage.durable import replace_file

if TYPE_CHECKING:
    from httpx import Response

REQUEST, RESPONSE, SIGNATURE = "request.bin", "response.bin", "signature.json"
"""Files of a kept exchange."""
MAX_BODY = 64 << 20
"""Bytes of an answer that are read at most."""
_TRIES = 5
_PAUSE = 0.5
"""Seconds; of several servers, the one that is asked may not be the one that has signed."""
_CHAT_HEADER = "ZG-Res-Key"
"""The chat's id at 0G; elsewhere it is in the answer."""
_MOST_SAID = 1 << 16


class StreamedExchange:
    """An answer that is coming in; iterated, it gives the bytes as they come.

    Attributes:
        status: HTTP's.
        content_type: as the endpoint names it.
    """

    def __init__(self, endpoint: "EnclaveEndpoint", request: bytes, response: "Response") -> None:
        self._endpoint, self._request, self._response = endpoint, request, response
        self._received = bytearray()
        self._ended = False
        self.status = response.status_code
        self.content_type = response.headers.get("Content-Type", "")

    def __iter__(self) -> Iterator[bytes]:
        for part in self._response.iter_raw():
            self._received += part
            if len(self._received) > MAX_BODY:
                raise AnswerError(f"the answer exceeds {MAX_BODY} bytes")
            yield part
        self._ended = True

    @property
    def received(self) -> bytes:
        """All bytes that have come so far."""
        return bytes(self._received)

    @property
    def chat(self) -> str:
        """The chat's id, once the answer has ended; AnswerError where it has none."""
        if not self._ended:
            raise AnswerError("the answer has not come to its end: nothing is signed yet")
        return self._response.headers.get(_CHAT_HEADER) or _chat_of(self.received)

    def finish(self) -> bytes:
        """Read to the end, and return all bytes; OperatorError where the endpoint refuses."""
        for _ in self:
            pass
        if self.status != 200:
            raise OperatorError(self.status, f"the endpoint refuses: {_reason(self.received)}")
        return self.received

    def signature(self) -> SaidSignature:
        """Ask for the signature, once the answer has ended.

        Raises:
            OperatorError: the endpoint has none, or does not answer.
            AnswerError: the answer has not ended, or names no chat.
        """
        return self._endpoint.signature(self.chat, named_model(self._request))

    def signed(self) -> SignedExchange:
        """Return the exchange under its signature; see signature and fit for errors."""
        return fit(self._request, self.received, self.signature())


class EnclaveEndpoint(Closing):
    """A connection to one endpoint. Closes as a context manager.

    Args:
        base: URL above chat/completions, as OpenAI's base_url.
        key: sent as a bearer token; None: none.
        timeout: seconds without a byte.

    Raises:
        MissingExtraError: httpx is not installed.
        OperatorError: the URL is none.
    """

    def __init__(self, base: str, key: str | None = None, timeout: float = 600.0) -> None:
        try:
            import httpx
        except ImportError as error:
            raise MissingExtraError("httpx", "client") from error
        self._failures = (httpx.HTTPError, httpx.InvalidURL)
        # What is compressed on its way has other bytes than those that were signed.
        headers = {"Accept-Encoding": "identity"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        url = base.rstrip("/") + "/"
        try:
            self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        except httpx.InvalidURL as error:
            raise OperatorError(None, f"the endpoint does not answer: {error}") from error

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def ask(self, request: bytes, path: str = "chat/completions") -> SignedExchange:
        """Send a request body as it is, and return it with its answer and signature.

        It is sent once: asked again, an endpoint gives another answer.

        Args:
            request: JSON, a stream's included.
            path: below the base.

        Raises:
            OperatorError: the endpoint refuses, or does not answer.
            AnswerError: its signature is missing something, or does not hold.
            FieldError: the bodies are longer than a network can take.
        """
        with self.stream(request, path) as coming:
            coming.finish()
            return coming.signed()

    def stream(
        self, request: bytes, path: str = "chat/completions"
    ) -> AbstractContextManager[StreamedExchange]:
        """Send a request body as it is, and give its answer as it comes; errors as of ask."""
        return self._stream(request, path)

    @contextmanager
    def _stream(self, request: bytes, path: str) -> Iterator[StreamedExchange]:
        headers = {"Content-Type": "application/json"}
        try:
            with self._http.stream("POST", path, content=request, headers=headers) as response:
                encoding = response.headers.get("Content-Encoding", "identity")
                if encoding != "identity":
                    raise AnswerError(f"the answer is in {encoding}; needed: as it was signed")
                yield StreamedExchange(self, request, response)
        except self._failures as error:
            raise OperatorError(None, f"the endpoint does not answer: {_named(error)}") from error

    def models(self) -> tuple[int, bytes]:
        """Return status and body of the endpoint's list of models; errors as of ask."""
        try:
            response = self._http.get("models")
        except self._failures as error:
            raise OperatorError(None, f"the endpoint does not answer: {_named(error)}") from error
        return response.status_code, response.content

    def signature(self, chat: str, model: str | None = None) -> SaidSignature:
        """Return the signature of a chat's answer, asked for a few times where it is not there yet.

        Args:
            chat: the chat's id.
            model: as the request names it; some endpoints find the signature by it.

        Raises:
            OperatorError: the endpoint has none, or does not answer.
            AnswerError: it says something else.
        """
        from urllib.parse import quote

        params = {"signing_algo": "ecdsa"} | ({} if model is None else {"model": model})
        status, said = 0, b""
        for left in reversed(range(_TRIES)):
            try:
                response = self._http.get(f"signature/{quote(chat, safe='')}", params=params)
            except self._failures as error:
                reason = f"the endpoint does not answer: {_named(error)}"
                raise OperatorError(None, reason) from error
            status, said = response.status_code, response.content[: _MOST_SAID + 1]
            if status == 200:
                return read_signature(said)
            if left:
                time.sleep(_PAUSE)
        raise OperatorError(status, f"the endpoint has no signature: {_reason(said)}")


def keep(folder: Path, exchange: SignedExchange) -> None:
    """Write an exchange as three files, request.bin, response.bin and signature.json.

    Both bodies are the bytes that were signed; the signature's file is as an endpoint says it.
    """
    answer = exchange.answer
    said = SaidSignature(
        text=signed_text(answer.request, answer.response, exchange.name).decode(),
        signature=to_hex(answer.signature),
        signing_address=checksummed(answer.signer),
    )
    keep_bodies(folder, answer.request, answer.response)
    replace_file(folder / SIGNATURE, said.model_dump_json().encode())


def keep_bodies(folder: Path, request: bytes, response: bytes) -> None:
    """Write both bodies of an exchange, whose signature is yet to come."""
    replace_file(folder / REQUEST, request)
    replace_file(folder / RESPONSE, response)


def read_exchange(request: Path, response: Path, signature: Path) -> SignedExchange:
    """Return the exchange that three files hold; see http_signature.fit for errors."""
    said = read_signature(signature.read_bytes())
    return fit(request.read_bytes(), response.read_bytes(), said)


def _chat_of(received: bytes) -> str:
    """Return the chat's id: of an answer, or of the first event of a stream that has one."""
    texts = [line[5:] for line in received.splitlines() if line.startswith(b"data:")]
    for text in texts or [received]:
        found = text_field(text, "id")
        if found is not None:
            return found
    raise AnswerError("the answer names no chat: it has no id")


def _reason(said: bytes) -> str:
    """Return why an endpoint refuses, on one line."""
    return " ".join(said[:500].decode("utf-8", "replace").split()) or "it gives no reason"


def _named(error: Exception) -> str:
    return str(error) or type(error).__name__
