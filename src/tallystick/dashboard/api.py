"""The JSON API. Every list has offset and limit, and comes as CSV too."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from tallystick.dashboard import definitions, numbers, schemas
from tallystick.dashboard.answers import answer, page
from tallystick.dashboard.live import Live
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.onchain import NoNodeError, OnChain
from tallystick.dashboard.snapshot import NotHereError, Snapshot
from tallystick.hexes import to_hex

MOST = 1_000
"""Rows of a page."""
TICK = 0.5
"""Seconds between two looks for a new snapshot."""
BEAT = 15.0
"""Seconds of silence after which a comment keeps a stream open."""

ChainId = Annotated[int, Path(ge=0, le=2**63 - 1, description="EIP-155 chain id")]
Core = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{40}$", description="the core's address")]
Id = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{64}$", description="32 bytes, hex text")]
Name = Annotated[str, Path(pattern="^[a-z_]{1,40}$", description="of a number, see definitions")]
Format = Annotated[Literal["json", "csv"], Query(description="csv: the rows only")]
State = Annotated[Literal["all", "open", "past"], Query()]


class Slice:
    """Which rows of a list."""

    def __init__(
        self,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        format: Format = "json",
    ) -> None:
        self.offset, self.limit, self.as_csv = offset, limit, format == "csv"


Rows = Annotated[Slice, Depends()]


def key_of(chain_id: ChainId, core: Core, network_id: Id) -> NetworkKey:
    """Return the network that a path names."""
    return NetworkKey(chain_id, core.lower(), network_id.lower())


Key = Annotated[NetworkKey, Depends(key_of)]

_COMMON: dict[int | str, dict[str, Any]] = {
    304: {"description": "What the client has is still so (If-None-Match)"},
    404: {"model": schemas.Problem, "description": "No event tells of it"},
}
_LIST: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "Rows"},
    **_COMMON,
}


def router(live: Live, chain: OnChain | None, stop: Callable[[], bool]) -> APIRouter:
    """Return the API over a data folder.

    Args:
        live: the folder.
        chain: nodes to ask; None: the chain is not asked.
        stop: whether streams are to end.
    """
    api = APIRouter(prefix="/api/v1", tags=["v1"])

    def listed(
        request: Request,
        row: type[BaseModel],
        rows: Slice,
        work: Callable[[Snapshot], tuple[list[Any], int]],
        **asked: Any,
    ) -> Response:
        snapshot = live.snapshot

        def made() -> Any:
            found, total = work(snapshot)
            return page(snapshot, found, total, rows.offset, rows.limit)

        asked |= {"offset": rows.offset, "limit": rows.limit}
        model = schemas.Page[row]  # type: ignore[valid-type]
        return answer(request, snapshot, model, asked, _found(made), rows.as_csv)

    def sliced(all_of: list[Any], rows: Slice) -> tuple[list[Any], int]:
        return all_of[rows.offset : rows.offset + rows.limit], len(all_of)

    @api.get("/coverage", response_model=schemas.Coverage, responses={304: _COMMON[304]})
    def coverage(request: Request) -> Response:
        """What all numbers rest on: which cores, up to which block."""
        snapshot, trouble = live.snapshot, live.trouble
        return answer(
            request,
            snapshot,
            schemas.Coverage,
            {"trouble": trouble},
            lambda: covered(snapshot, live=True, chains_asked=chain is not None, trouble=trouble),
        )

    @api.get("/definitions", response_model=schemas.Definitions, responses={304: _COMMON[304]})
    def define(request: Request) -> Response:
        """How it is counted: what each number means, under a version."""
        return answer(request, live.snapshot, schemas.Definitions, {}, defined)

    @api.get("/networks", response_model=schemas.Page[schemas.Network], responses=_LIST)
    def networks(request: Request, rows: Rows) -> Response:
        """Networks with all their numbers: those with known resolvers first, by verified."""
        return listed(request, schemas.Network, rows, lambda s: sliced(s.networks(), rows))

    one = "/networks/{chain_id}/{core}/{network_id}"

    @api.get(one, response_model=schemas.Network, responses=_COMMON)
    def network(request: Request, key: Key) -> Response:
        """One network with all its numbers."""
        snapshot = live.snapshot
        work = _found(lambda: snapshot.network(key))
        return answer(request, snapshot, schemas.Network, {}, work)

    @api.get(f"{one}/registration", response_model=schemas.Registration, responses=_COMMON)
    def registration(request: Request, key: Key) -> Response:
        """A network's rules, as registered and in plain words."""
        snapshot = live.snapshot
        work = _found(lambda: snapshot.registration(key))
        return answer(request, snapshot, schemas.Registration, {}, work)

    @api.get(f"{one}/days", response_model=schemas.Page[schemas.Day], responses=_LIST)
    def days(request: Request, key: Key, rows: Rows) -> Response:
        """How much a network's counters grew, day by day (UTC)."""
        return listed(request, schemas.Day, rows, lambda s: sliced(s.days(key), rows))

    @api.get(f"{one}/operators", response_model=schemas.Page[schemas.Operator], responses=_LIST)
    def operators(request: Request, key: Key, rows: Rows) -> Response:
        """A network's operators with their counters and stake."""
        return listed(request, schemas.Operator, rows, lambda s: sliced(s.operators(key), rows))

    @api.get(f"{one}/models", response_model=schemas.Page[schemas.Model], responses=_LIST)
    def models(request: Request, key: Key, rows: Rows) -> Response:
        """A network's models with their counters."""
        return listed(request, schemas.Model, rows, lambda s: sliced(s.models(key), rows))

    @api.get(f"{one}/batches", response_model=schemas.Page[schemas.Batch], responses=_LIST)
    def batches(request: Request, key: Key, rows: Rows) -> Response:
        """A network's batches, the newest first."""

        def work(snapshot: Snapshot) -> tuple[list[Any], int]:
            snapshot.network(key)
            found = snapshot.batches.page(key, rows.offset, rows.limit)
            return found, snapshot.batches.count(key)

        return listed(request, schemas.Batch, rows, work)

    @api.get(f"{one}/disputes", response_model=schemas.Page[schemas.Dispute], responses=_LIST)
    def disputes_of(request: Request, key: Key, rows: Rows, state: State = "all") -> Response:
        """A network's disputes, the newest first."""
        work = _known(key, lambda s: _disputes(s, rows, state, key))
        return listed(request, schemas.Dispute, rows, work, state=state)

    @api.get(f"{one}/rejections", response_model=schemas.Page[schemas.Rejection], responses=_LIST)
    def rejections_of(request: Request, key: Key, rows: Rows) -> Response:
        """Who of a network lost stake, and why; the newest first."""
        work = _known(key, lambda s: _rejections(s, rows, key))
        return listed(request, schemas.Rejection, rows, work)

    @api.get(f"{one}/numbers/{{name}}", response_model=schemas.Number, responses=_COMMON)
    def number(request: Request, key: Key, name: Name) -> Response:
        """What a number is made of: its definition, queries and blocks."""
        snapshot = live.snapshot
        work = _found(lambda: snapshot.number(key, name))
        return answer(request, snapshot, schemas.Number, {}, work)

    @api.get(
        f"{one}/numbers/{{name}}/events",
        response_model=schemas.Page[schemas.NumberEvent],
        responses=_LIST,
    )
    def number_events(request: Request, key: Key, name: Name, rows: Rows) -> Response:
        """The events that a number is made of, the newest first."""

        def work(snapshot: Snapshot) -> tuple[list[Any], int]:
            total = snapshot.number(key, name)["events"]
            found = numbers.events_of(snapshot.events, key, name, rows.offset, rows.limit)
            return found, total

        return listed(request, schemas.NumberEvent, rows, work)

    @api.get("/disputes", response_model=schemas.Page[schemas.Dispute], responses=_LIST)
    def disputes(request: Request, rows: Rows, state: State = "all") -> Response:
        """Disputes of all networks, the newest first."""
        return listed(
            request, schemas.Dispute, rows, lambda s: _disputes(s, rows, state), state=state
        )

    @api.get("/rejections", response_model=schemas.Page[schemas.Rejection], responses=_LIST)
    def rejections(request: Request, rows: Rows) -> Response:
        """Who lost stake in any network, and why; the newest first."""
        return listed(request, schemas.Rejection, rows, lambda s: _rejections(s, rows))

    @api.get(
        "/batches/{chain_id}/{core}/{batch_id}",
        response_model=schemas.BatchInFull,
        responses=_COMMON,
    )
    def batch(request: Request, chain_id: ChainId, core: Core, batch_id: Id) -> Response:
        """One batch and what happened to it, as its events tell."""
        snapshot = live.snapshot
        work = _found(lambda: _batch(snapshot, chain_id, core, batch_id))
        return answer(request, snapshot, schemas.BatchInFull, {}, work)

    @api.get(
        "/chain/{chain_id}/{core}/{batch_id}",
        response_model=schemas.ChainStatus,
        responses={
            404: _COMMON[404],
            503: {"model": schemas.Problem, "description": "No node of the chain answers"},
        },
    )
    def on_chain(chain_id: ChainId, core: Core, batch_id: Id, response: Response) -> Any:
        """What the chain itself says of a batch, at its latest block."""
        response.headers["Cache-Control"] = "no-store"
        row = _found(lambda: _batch(live.snapshot, chain_id, core, batch_id))()
        if chain is None:
            raise HTTPException(503, "no node is known; serve with --rpc")
        try:
            return chain.status(row)
        except NoNodeError as error:
            raise HTTPException(503, str(error)) from error

    @api.get(
        "/live",
        response_class=StreamingResponse,
        responses={
            200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}
        },
    )
    async def stream(request: Request) -> StreamingResponse:
        """An event `coverage` for each new state of the data folder, with its last blocks."""

        async def told() -> AsyncIterator[str]:
            seen, silent = "", 0.0
            while not stop() and not await request.is_disconnected():
                snapshot = live.snapshot
                if snapshot.version != seen:
                    seen, silent = snapshot.version, 0.0
                    last = {str(one.core.chain_id): one.last_block for one in snapshot.coverage}
                    body = json.dumps({"version": seen, "last_blocks": last})
                    yield f"event: coverage\ndata: {body}\n\n"
                elif silent >= BEAT:
                    silent = 0.0
                    yield ": still here\n\n"
                await asyncio.sleep(TICK)
                silent += TICK

        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(told(), media_type="text/event-stream", headers=headers)

    return api


def covered(snapshot: Snapshot, live: bool, chains_asked: bool, trouble: str = "") -> Any:
    """Return what schemas.Coverage takes."""
    return {
        "version": snapshot.version,
        "definitions_version": definitions.VERSION,
        "cores": [
            {
                "chain_id": one.core.chain_id,
                "core": to_hex(one.core.address),
                "first_block": one.first_block,
                "last_block": one.last_block,
                "boundary": one.boundary,
                "events": one.rows,
            }
            for one in snapshot.coverage
        ],
        "live": live,
        "chains_asked": chains_asked,
        "trouble": trouble,
    }


def defined() -> Any:
    """Return what schemas.Definitions takes."""
    listed = [
        {name: getattr(one, name) for name in ("name", "label", "unit", "meaning", "formula")}
        for one in definitions.DEFINITIONS
    ]
    return {
        "version": definitions.VERSION,
        "changes": definitions.CHANGES,
        "definitions": listed,
    }


def _found(work: Callable[[], Any]) -> Callable[[], Any]:
    """Turn what is not here into 404."""

    def tried() -> Any:
        try:
            return work()
        except NotHereError as error:
            raise HTTPException(404, str(error)) from error

    return tried


def _known(key: NetworkKey, work: Callable[[Snapshot], Any]) -> Callable[[Snapshot], Any]:
    """Refuse an unknown network."""

    def tried(snapshot: Snapshot) -> Any:
        snapshot.network(key)
        return work(snapshot)

    return tried


def _batch(snapshot: Snapshot, chain_id: int, core: str, batch_id: str) -> Any:
    found = snapshot.batches.find(chain_id, core.lower(), batch_id.lower())
    if found is None:
        raise NotHereError(f"no event tells of batch {batch_id}")
    return found


def _disputes(
    snapshot: Snapshot, rows: Slice, state: str, key: NetworkKey | None = None
) -> tuple[list[Any], int]:
    found = snapshot.disputes.page(state, rows.offset, rows.limit, key)
    return found, snapshot.disputes.count(state, key)


def _rejections(
    snapshot: Snapshot, rows: Slice, key: NetworkKey | None = None
) -> tuple[list[Any], int]:
    found = snapshot.disputes.rejected(rows.offset, rows.limit, key)
    return found, snapshot.disputes.rejected_count(key)
