"""Search over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from tallystick.dashboard import schemas
from tallystick.dashboard.params import UNCHANGED, Folder, one
from tallystick.dashboard.search import search

api = APIRouter()
Words = Annotated[str, Query(max_length=80, description="part of a name, or how an id begins")]


@api.get("/search", response_model=schemas.Hits, responses=UNCHANGED)
def find(request: Request, live: Folder, q: Words) -> Response:
    """Find networks, models, operators, batches and transactions, a few of each kind."""
    return one(
        request,
        live,
        schemas.Hits,
        lambda now: {"version": now.version, "hits": search(now, q)},
        q=q,
    )
