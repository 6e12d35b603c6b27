"""The basis of answers over HTTP: covered blocks, definitions, and news of both as they come."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from tallystick.dashboard import definitions, schemas
from tallystick.dashboard.block_times import BlockTime, block_times
from tallystick.dashboard.live import Live
from tallystick.dashboard.params import UNCHANGED, Folder, one
from tallystick.dashboard.periods import Period
from tallystick.dashboard.responses import answer
from tallystick.dashboard.snapshot import Snapshot
from tallystick.data.extract.dataset import Dataset
from tallystick.data.extract.gaps import read_gaps
from tallystick.data.totals.coverage import Coverage as Held
from tallystick.protocol.hexes import to_hex

TICK = 0.5
"""Seconds between two looks for a new snapshot."""
BEAT = 15.0
"""Seconds of silence after which a comment keeps a stream open."""

api = APIRouter()


@api.get("/coverage", response_model=schemas.Coverage, responses=UNCHANGED)
def coverage(request: Request, live: Folder) -> Response:
    """List the registries and blocks that all numbers rest on."""
    now, trouble = live.snapshot, live.trouble
    asked = request.app.state.chain is not None

    def work() -> Any:
        return covered(now, live=True, chains_asked=asked, trouble=trouble)

    return answer(request, now, schemas.Coverage, {"trouble": trouble, "asked": asked}, work)


@api.get("/definitions", response_model=schemas.Definitions, responses=UNCHANGED)
def define(request: Request, live: Folder) -> Response:
    """Define each number, under a version."""
    return one(request, live, schemas.Definitions, lambda now: defined())


@api.get("/summary/{period}", response_model=schemas.Summary, responses=UNCHANGED)
def summary(request: Request, live: Folder, period: Period) -> Response:
    """Sum verified inferences up over ranked networks, for the last days; with each network's."""
    return one(request, live, schemas.Summary, lambda now: summarized(now, period))


@api.get(
    "/live",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}},
)
async def stream(request: Request, live: Folder) -> StreamingResponse:
    """An event `coverage` for each new state of the data folder, with its last blocks.

    `trouble` says why newer blocks are not shown; it is empty when they are.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_news(request, live), media_type="text/event-stream", headers=headers)


async def _news(request: Request, live: Live) -> AsyncIterator[str]:
    seen, silent = ("", ""), 0.0
    while not live.ended and not await request.is_disconnected():
        now, trouble = live.snapshot, live.trouble
        if (now.version, trouble) != seen:
            seen, silent = (now.version, trouble), 0.0
            last = {str(held.contract.chain_id): held.last_block for held in now.coverage}
            body = json.dumps({"version": now.version, "last_blocks": last, "trouble": trouble})
            yield f"event: coverage\ndata: {body}\n\n"
        elif silent >= BEAT:
            silent = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(TICK)
        silent += TICK


def covered(
    snapshot: Snapshot,
    live: bool,
    chains_asked: bool,
    trouble: str = "",
    exported: int | None = None,
) -> Any:
    """Return what schemas.Coverage takes."""
    times = {one.of: one for one in block_times(snapshot)}
    return {
        "version": snapshot.version,
        "definitions_version": definitions.VERSION,
        "cores": [
            {
                "chain_id": one.contract.chain_id,
                "core": to_hex(one.contract.address),
                "first_block": one.first_block,
                "last_block": one.last_block,
                "boundary": one.boundary,
                "events": one.rows,
                "compared_block": _compared(snapshot, one),
                **_times(times[one.contract.chain_id, to_hex(one.contract.address)]),
            }
            for one in snapshot.coverage
        ],
        "exported": exported,
        "live": live,
        "chains_asked": chains_asked,
        "trouble": trouble,
    }


def _times(one: BlockTime) -> dict[str, int | None]:
    return {"last_time": one.last_time, "newest_event": one.newest_event}


def _compared(snapshot: Snapshot, held: Held) -> int | None:
    """Return the block at which the contract counted what the events do."""
    noted = read_gaps(Dataset(snapshot.folder), held.contract)
    return noted.last_block if noted and noted.last_block >= 0 and not noted.found else None


def headline() -> Any:
    """Return what schemas.Headline takes."""
    return {
        "version": definitions.HEADLINE_VERSION,
        "definition": asdict(definitions.HEADLINE),
        "caveat": definitions.CAVEAT,
    }


def summarized(snapshot: Snapshot, period: str) -> Any:
    """Return what schemas.Summary takes."""
    return {
        "version": snapshot.version,
        "headline": headline(),
        **snapshot.summary(period),
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
        "headline": headline(),
    }
