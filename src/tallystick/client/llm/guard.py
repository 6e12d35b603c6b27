"""A guard before a server on this machine that is meant for its own user alone.

Whoever asks needs the server's own key, and must call it by a name of this machine: a web page that
is open in a browser has neither.
"""

import contextlib
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.background import BackgroundTask

from tallystick.client.llm.reply import Reply, refusal
from tallystick.errors import AnswerError

MOST_BYTES = 16 << 20
"""Bytes of a body that are read at most."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Guard:
    """Lets through who has the key and means this server.

    Args:
        app: behind it.
        key: that clients give as bearer.
        hosts: values of Host that are meant for it, in lower case.
    """

    def __init__(self, app: Any, key: str, hosts: Collection[str]) -> None:
        self._app, self._key, self._hosts = app, key.encode(), frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and (reply := self._refuse(dict(scope["headers"]))) is not None:
            await http_response(reply)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refuse(self, headers: dict[bytes, bytes]) -> Reply | None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if host not in self._hosts:
            # A page whose name leads here, by its own DNS, would be of one origin with this server.
            return refusal(403, "Host is not this server's", code="wrong_host")
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not secrets.compare_digest(given.strip(), self._key):
            return refusal(
                401, "the key is not this proxy's; it is in its key file", code="invalid_api_key"
            )
        return None


def hosts_of(host: str, port: int) -> set[str]:
    """Return the values of Host by which a server is called.

    >>> sorted(hosts_of("127.0.0.1", 8200))
    ['127.0.0.1:8200', '[::1]:8200', 'localhost:8200']
    """
    names = {host if ":" not in host else f"[{host}]", "127.0.0.1", "localhost", "[::1]"}
    found = {f"{name.lower()}:{port}" for name in names}
    return found | names if port == 80 else found


def read_key(path: Path) -> str:
    """Return the key in a file; where there is none, it is made, for its owner's eyes only.

    Raises:
        AnswerError: the file is empty.
    """
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", opener=_owners) as file:
            file.write(f"tallystick-{secrets.token_urlsafe(24)}\n")
    key = path.read_text().strip()
    if not key:
        raise AnswerError(f"{path} holds no key; delete it, and another one is made")
    return key


def _owners(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def http_response(reply: Reply) -> Response:
    """Return a reply as a response."""
    if not isinstance(reply.body, bytes):
        return StreamingResponse(reply.body, reply.status, reply.headers)
    done = None if reply.answering is None else BackgroundTask(reply.answering.received)
    return Response(reply.body, reply.status, reply.headers, background=done)


async def read_body(request: Request) -> bytes | Reply:
    """Return a request's body as it came, or the refusal of one that is too long or encoded."""
    if request.headers.get("content-encoding", "identity") != "identity":
        return refusal(415, "the body is encoded; needed: as it is")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return refusal(413, f"the body exceeds {MOST_BYTES} bytes")
    return bytes(body)


async def serve_on(listening: socket.socket, app: Guard) -> None:
    """Serve until a signal ends it."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5
    )
    await uvicorn.Server(config).serve(sockets=[listening])
