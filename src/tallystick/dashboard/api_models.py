"""Models over HTTP: one as registered, with its versions, its operators and its batches."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from tallystick.dashboard import models, schemas
from tallystick.dashboard.network_key import ModelKey
from tallystick.dashboard.params import (
    LIST,
    ONE,
    ChainId,
    Folder,
    Found,
    Id,
    RegistryAddress,
    Rows,
    listed,
    one,
)
from tallystick.dashboard.snapshot import Snapshot

api = APIRouter()
_ONE = "/models/{chain_id}/{core}/{model_id}"


class OperatorOfModel(schemas.Counters):
    """An operator of a model, with the counters of what it ran of it."""

    operator: schemas.Address
    batches: int


class Version(schemas.Named):
    """A model of the same line: one that a model names as the one before it, or the other way."""

    model_id: schemas.Hash
    parent: schemas.Hash = Field(description="zero: the first of its line")
    name: schemas.Stranger
    registrant: schemas.Address
    content_hash: schemas.Hash
    spec_hash: schemas.Hash
    block_number: int
    block_time: int


class SameContent(schemas.Counters, schemas.Named):
    """A registration of the same content, in whichever network."""

    network_name: schemas.Stranger
    resolvers: str = Field(description="the network's, as in its own row")
    model_id: schemas.Hash
    name: schemas.Stranger
    registrant: schemas.Address
    spec_hash: schemas.Hash


class ModelInFull(schemas.Model, schemas.Named):
    """A model, and who uses it."""

    block_time: int
    network_name: schemas.Stranger
    resolvers: str = Field(description="the network's, as in its own row")
    known_verified: schemas.Count = Field(description="of verified: by known resolvers' grades")
    batches: int
    spec_kind: Literal["exact", "tolerance", "in words of its own", "not known"] = Field(
        description="equal bytes, or distances below thresholds; not known: nobody gave its text"
    )
    spec_terms: list[str] = Field(description="lines of the spec's text that have its thresholds")
    operators: list[OperatorOfModel] = Field(description="by verified")
    versions: list[Version] = Field(
        description="of its line, itself too: the first that were registered, 100 at most"
    )
    versions_total: int = Field(description="anybody may register one after another")
    same_content: list[SameContent] = Field(
        description="in all networks, itself too, never to be added up: the first, 100 at most"
    )
    same_content_total: int


def key_of(chain_id: ChainId, core: RegistryAddress, model_id: Id) -> ModelKey:
    """Return the model that a path names."""
    return ModelKey(chain_id, core, model_id.lower())


Key = Annotated[ModelKey, Depends(key_of)]


@api.get(_ONE, response_model=ModelInFull, responses=ONE)
def model(request: Request, live: Folder, key: Key) -> Response:
    """One model as registered, what became of its inferences, its versions, and who uses it."""
    specs = request.app.state.specs
    asked = {"specs": tuple(sorted(specs))}
    return one(request, live, ModelInFull, lambda now: models.model(now, key, specs), **asked)


@api.get(f"{_ONE}/batches", response_model=schemas.Page[schemas.Batch], responses=LIST)
def batches_of_model(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """A model's batches, the newest first."""
    specs = request.app.state.specs

    def work(now: Snapshot) -> Found:
        models.model(now, key, specs)
        return now.batches.page(key, rows.offset, rows.limit), now.batches.count(key)

    return listed(request, live, schemas.Batch, rows, work)
