"""What requests to the API have in common: which network, which rows, and how they are answered."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Depends, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel

from tallystick.dashboard import schemas
from tallystick.dashboard.answers import answer, page, paged
from tallystick.dashboard.live import Live
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.numbers import Scope
from tallystick.dashboard.snapshot import NotHereError, Snapshot

MOST = 10_000
"""Rows of a page."""

ChainId = Annotated[int, Path(ge=0, le=2**63 - 1, description="EIP-155 chain id")]
Core = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{40}$", description="the core's address")]
Id = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{64}$", description="32 bytes, hex text")]
Name = Annotated[str, Path(pattern="^[a-z_]{1,40}$", description="of a number, see definitions")]
Format = Annotated[Literal["json", "csv"], Query(description="csv: the rows only")]
State = Annotated[Literal["all", "open", "past"], Query()]

UNCHANGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"schema": {"type": "string"}}}},
    304: {"description": "What the client has is still so (If-None-Match)"},
}
ONE: dict[int | str, dict[str, Any]] = {
    **UNCHANGED,
    404: {"model": schemas.Problem, "description": "No event tells of it"},
}
LIST: dict[int | str, dict[str, Any]] = {
    **ONE,
    200: {
        **UNCHANGED[200],
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "description": "Rows",
    },
}

Found = tuple[list[Any], int]
"""Some rows, and how many there are."""


class Slice:
    """Which rows of a list."""

    def __init__(
        self,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        format: Format = "json",
    ) -> None:
        self.offset, self.limit, self.as_csv = offset, limit, format == "csv"

    def of(self, rows: list[Any]) -> Found:
        """Return these rows of a whole list."""
        return rows[self.offset : self.offset + self.limit], len(rows)


def live_of(request: Request) -> Live:
    """Return the data folder that is shown."""
    found: Live = request.app.state.live
    return found


def key_of(chain_id: ChainId, core: Core, network_id: Id) -> NetworkKey:
    """Return the network that a path names."""
    return NetworkKey(chain_id, core.lower(), network_id.lower())


Rows = Annotated[Slice, Depends()]
Key = Annotated[NetworkKey, Depends(key_of)]


def scope_of(
    key: Key,
    by: Annotated[
        Literal["network", "operator", "model", "day"],
        Query(description="whose number: the network's, or that of a part of it"),
    ] = "network",
    of: Annotated[
        str,
        Query(
            pattern="^(0x[0-9a-fA-F]{1,64}|[0-9]{4}-[0-9]{2}-[0-9]{2}|)$",
            description="the operator's address, the model's id, or the day (UTC)",
        ),
    ] = "",
) -> Scope:
    """Return whose number is asked for."""
    return Scope(key) if by == "network" else Scope(key, by, of.lower())


Of = Annotated[Scope, Depends(scope_of)]
Folder = Annotated[Live, Depends(live_of)]


def one(
    request: Request,
    live: Live,
    model: type[BaseModel],
    work: Callable[[Snapshot], Any],
    **asked: Any,
) -> Response:
    """Answer with one thing; 404 when it is not here. `asked` is what makes a difference."""
    snapshot = live.snapshot
    return answer(request, snapshot, model, asked, lambda: found(lambda: work(snapshot)))


def listed(
    request: Request,
    live: Live,
    model: type[BaseModel],
    rows: Slice,
    work: Callable[[Snapshot], Found],
    **asked: Any,
) -> Response:
    """Answer with some rows, as JSON or CSV; `asked` is what else makes a difference.

    `model` is of a row, or a Page that says more than its rows.
    """
    snapshot = live.snapshot

    def made() -> Any:
        some, total = found(lambda: work(snapshot))
        return page(snapshot, some, total, rows.offset, rows.limit)

    asked |= {"offset": rows.offset, "limit": rows.limit}
    return answer(request, snapshot, paged(model), asked, made, rows.as_csv)


def found(work: Callable[[], Any]) -> Any:
    """Return what there is; 404 for what is not here."""
    try:
        return work()
    except NotHereError as error:
        raise HTTPException(404, str(error)) from error
