"""Exchange of signatures between a committee's members: a shared folder, or each other's nodes.

Nothing is pushed: a node shows what it signed itself, and looks at what others show. What another
shows counts only when it is on the same statement, under a member's signature.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic_core import from_json

from tallystick.chain.committee import CommitteeMember
from tallystick.errors import TallystickError
from tallystick.node.log import get_log
from tallystick.node.verifier.peers import ask_peers
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keys import has_signed
from tallystick.protocol.statement import Statement, StatementError

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
        """See Shared."""
        path = self._folder / digest.hex() / f"{member}.json"
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: others may read at any time.
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        statement.write(unfinished)
        os.replace(unfinished, path)

    def seen(self, digest: bytes) -> list[Statement]:
        """See Shared."""
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
        """See Shared; others ask for what the journal has."""

    def seen(self, digest: bytes) -> list[Statement]:
        """See Shared."""
        target = f"statements/{to_hex(digest)}"
        return ask_peers(self._urls, target, read, MAX_SIZE, self._timeout, _LOG)


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


def gathered(
    own: Statement, others: Sequence[Statement], members: Sequence[CommitteeMember]
) -> Statement:
    """Return one's own statement with the good signatures of other members who count.

    Args:
        own: what this node signed.
        others: what was seen, of anything.
        members: the committee's members.
    """
    digest = own.says.digest(own.domain)
    together = own
    for other in others:
        if (other.domain, other.says) != (own.domain, own.says):
            continue
        for index, signature in other.signatures.items():
            member = next((one for one in members if one.index == index), None)
            if member is None or not member.counts or index in together.signatures:
                continue
            if has_signed(member.key, digest, signature):
                together = together.signed(index, signature)
    return together


def served(
    find: Callable[[bytes], str | None],
    find_seal: Callable[[bytes, bytes], bytes | None] = lambda panel_id, seed: None,
) -> Any:
    """Return the FastAPI application that shows a node's statements and seals.

    Args:
        find: returns the JSON of what was signed under a digest, or None.
        find_seal: returns the JSON of the seal on a pool's panel, by its id and seed, or None.
    """
    from fastapi import FastAPI, HTTPException, Response

    application = FastAPI(title="Tallystick verifier", docs_url=None, redoc_url=None)

    @application.get("/statements/{digest}")
    def statement(digest: str) -> Response:
        """Return what this node signed under a digest."""
        try:
            found = find(bytes.fromhex(digest.removeprefix("0x")))
        except ValueError:
            raise HTTPException(422, "needed: a digest in hex") from None
        if found is None:
            raise HTTPException(404, "nothing was signed under it here")
        return Response(found, media_type="application/json")

    @application.get("/seals/{panel_id}/{seed}")
    def seal(panel_id: str, seed: str) -> Response:
        """Return this node's seal on a pool's panel, open once enough others have sealed."""
        try:
            panel = bytes.fromhex(panel_id.removeprefix("0x"))
            found = find_seal(panel, bytes.fromhex(seed.removeprefix("0x")))
        except ValueError:
            raise HTTPException(422, "needed: a panel's id and its seed in hex") from None
        if found is None:
            raise HTTPException(404, "nothing was sealed on it here")
        return Response(found, media_type="application/json")

    return application
