"""How members of a committee get each other's signatures: a shared folder, or each other's nodes.

Nothing is pushed: a node shows what it signed itself, and looks at what others show. What another
shows counts only when it is on the same statement, under a member's signature.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx
from pydantic_core import from_json

from tallystick.chain.panel import Seat
from tallystick.errors import TallystickError
from tallystick.hexes import to_hex
from tallystick.keys import has_signed
from tallystick.node.log import get_log
from tallystick.statement import Statement, StatementError

MAX_SIZE = 64 << 10
"""Bytes of a statement."""

_LOG = get_log("sharing")


class Shared(Protocol):
    """A place where statements are shown."""

    def show(self, digest: bytes, member: int, statement: Statement) -> None:
        """Show what this node signed as a member."""
        ...

    def seen(self, digest: bytes) -> list[Statement]:
        """Return what others show under a digest, unchecked."""
        ...


class SharedFolder:
    """A folder that all members can write to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def show(self, digest: bytes, member: int, statement: Statement) -> None:
        """As of Shared."""
        path = self._folder / digest.hex() / f"{member}.json"
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: others may read at any time.
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        statement.write(unfinished)
        os.replace(unfinished, path)

    def seen(self, digest: bytes) -> list[Statement]:
        """As of Shared."""
        found = []
        for path in sorted((self._folder / digest.hex()).glob("*.json")):
            try:
                with path.open("rb") as file:
                    found.append(read(file.read(MAX_SIZE + 1)))
            except (OSError, TallystickError) as error:
                _LOG.warning("unusable statement", file=str(path), reason=str(error))
        return found


class Peers:
    """Other members' nodes, asked over HTTP. Showing is the server's part.

    Args:
        urls: of the nodes.
        timeout: seconds for one node's answer.
    """

    def __init__(self, urls: Sequence[str], timeout: float = 5.0) -> None:
        self._urls, self._timeout = list(urls), timeout

    def show(self, digest: bytes, member: int, statement: Statement) -> None:
        """As of Shared: others ask for what the journal has."""

    def seen(self, digest: bytes) -> list[Statement]:
        """As of Shared."""
        return asyncio.run(self._seen(digest)) if self._urls else []

    async def _seen(self, digest: bytes) -> list[Statement]:
        async with httpx.AsyncClient(timeout=self._timeout) as client:
            answers = await asyncio.gather(
                *(self._ask(client, url, digest) for url in self._urls), return_exceptions=True
            )
        found = []
        for url, answer in zip(self._urls, answers, strict=True):
            if isinstance(answer, Statement):
                found.append(answer)
            elif answer is not None:
                _LOG.info("a member's node is of no use", url=url, reason=repr(answer))
        return found

    async def _ask(self, client: httpx.AsyncClient, url: str, digest: bytes) -> Statement | None:
        target = f"{url.rstrip('/')}/statements/{to_hex(digest)}"
        async with asyncio.timeout(self._timeout), client.stream("GET", target) as response:
            if response.status_code == 404:
                return None
            response.raise_for_status()
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MAX_SIZE:
                    break
            return read(bytes(body))


def read(body: bytes) -> Statement:
    """Return the statement in a file or an answer; StatementError if there is none.

    Args:
        body: whole, or its beginning when it is too long.
    """
    if len(body) > MAX_SIZE:
        raise StatementError(f"more than {MAX_SIZE} bytes; needed: one statement")
    try:
        # Python's own parser crashes on what is nested deep enough, where a library has raised the
        # limit of recursion; this one has a limit of its own.
        found = from_json(body)
    except ValueError as error:
        raise StatementError(f"no JSON: {error}") from error
    return Statement.from_json(found)


def gathered(own: Statement, others: Sequence[Statement], seats: Sequence[Seat]) -> Statement:
    """Return one's own statement with the good signatures of other members who count.

    Args:
        own: what this node signed.
        others: what was seen, of anything.
        seats: the committee's members.
    """
    digest = own.says.digest(own.domain)
    together = own
    for other in others:
        if (other.domain, other.says) != (own.domain, own.says):
            continue
        for member, signature in other.signatures.items():
            seat = next((one for one in seats if one.member == member), None)
            if seat is None or not seat.counts or member in together.signatures:
                continue
            if has_signed(seat.key, digest, signature):
                together = together.signed(member, signature)
    return together


def served(find: Callable[[bytes], str | None]) -> Any:
    """Return the FastAPI application that shows a node's statements.

    Args:
        find: returns the JSON of what was signed under a digest, or None.
    """
    from fastapi import FastAPI, HTTPException, Response

    application = FastAPI(title="Tallystick verifier", docs_url=None, redoc_url=None)

    @application.get("/statements/{digest}")
    def statement(digest: str) -> Response:
        """What this node signed under a digest."""
        try:
            found = find(bytes.fromhex(digest.removeprefix("0x")))
        except ValueError:
            raise HTTPException(422, "needed: a digest in hex") from None
        if found is None:
            raise HTTPException(404, "nothing was signed under it here")
        return Response(found, media_type="application/json")

    return application
