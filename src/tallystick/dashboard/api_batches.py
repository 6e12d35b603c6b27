"""Batches, disputes and rejections over HTTP; and what the chain itself says of a batch."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from tallystick.dashboard import schemas
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.onchain import NoNodeError, OnChain
from tallystick.dashboard.params import (
    LIST,
    ONE,
    ChainId,
    Folder,
    Found,
    Id,
    Key,
    RegistryAddress,
    Rows,
    Slice,
    State,
    found,
    listed,
    one,
)
from tallystick.dashboard.snapshot import NotHereError, Snapshot

api = APIRouter()
_ONE = "/networks/{chain_id}/{core}/{network_id}"
_BATCH = "{chain_id}/{core}/{batch_id}"


@api.get(f"{_ONE}/batches", response_model=schemas.Page[schemas.Batch], responses=LIST)
def batches(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """A network's batches, the newest first."""

    def work(now: Snapshot) -> Found:
        now.network(key)
        return now.batches.page(key, rows.offset, rows.limit), now.batches.count(key)

    return listed(request, live, schemas.Batch, rows, work)


@api.get(f"/batches/{_BATCH}", response_model=schemas.BatchInFull, responses=ONE)
def batch(
    request: Request, live: Folder, chain_id: ChainId, core: RegistryAddress, batch_id: Id
) -> Response:
    """One batch and what happened to it, as its events tell."""
    return one(
        request, live, schemas.BatchInFull, lambda now: _batch(now, chain_id, core, batch_id)
    )


@api.get(
    f"/chain/{_BATCH}",
    response_model=schemas.ChainStatus,
    responses={
        404: ONE[404],
        503: {"model": schemas.Problem, "description": "No node of the chain answers"},
    },
)
def on_chain(
    request: Request,
    live: Folder,
    chain_id: ChainId,
    core: RegistryAddress,
    batch_id: Id,
    response: Response,
) -> Any:
    """Read a batch from the chain itself, at its latest block."""
    response.headers["Cache-Control"] = "no-store"
    row = found(lambda: _batch(live.snapshot, chain_id, core, batch_id))
    chain: OnChain | None = request.app.state.chain
    if chain is None:
        raise HTTPException(503, "no node is known; serve with --rpc")
    try:
        return chain.status(row)
    except NoNodeError as error:
        raise HTTPException(503, str(error)) from error


@api.get(f"{_ONE}/disputes", response_model=schemas.Page[schemas.Dispute], responses=LIST)
def disputes_of(
    request: Request, live: Folder, key: Key, rows: Rows, state: State = "all"
) -> Response:
    """A network's disputes, the newest first."""
    return listed(
        request,
        live,
        schemas.Dispute,
        rows,
        lambda now: _disputes(now, rows, state, key),
        state=state,
    )


@api.get(f"{_ONE}/rejections", response_model=schemas.Page[schemas.Rejection], responses=LIST)
def rejections_of(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """List who lost stake in a network, and why; the newest first."""
    return listed(request, live, schemas.Rejection, rows, lambda now: _rejections(now, rows, key))


@api.get("/disputes", response_model=schemas.Page[schemas.Dispute], responses=LIST)
def disputes(request: Request, live: Folder, rows: Rows, state: State = "all") -> Response:
    """Disputes of all networks, the newest first."""
    return listed(
        request, live, schemas.Dispute, rows, lambda now: _disputes(now, rows, state), state=state
    )


@api.get("/rejections", response_model=schemas.Page[schemas.Rejection], responses=LIST)
def rejections(request: Request, live: Folder, rows: Rows) -> Response:
    """List who lost stake in any network, and why; the newest first."""
    return listed(request, live, schemas.Rejection, rows, lambda now: _rejections(now, rows))


def _batch(now: Snapshot, chain_id: int, core: str, batch_id: str) -> Any:
    row = now.batches.find(chain_id, core.lower(), batch_id.lower())
    if row is None:
        raise NotHereError(f"no event tells of batch {batch_id}")
    return row


def _disputes(now: Snapshot, rows: Slice, state: str, key: NetworkKey | None = None) -> Found:
    if key is not None:
        now.network(key)
    some = now.disputes.page(state, rows.offset, rows.limit, key)
    return some, now.disputes.count(state, key)


def _rejections(now: Snapshot, rows: Slice, key: NetworkKey | None = None) -> Found:
    if key is not None:
        now.network(key)
    return now.disputes.rejected(rows.offset, rows.limit, key), now.disputes.rejected_count(key)
