"""Requesters over HTTP: one at a registry, with what it signed for in each network."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from tallystick.dashboard import requesters, schemas
from tallystick.dashboard.network_key import RequesterKey
from tallystick.dashboard.params import (
    LIST,
    ONE,
    Account,
    ChainId,
    Folder,
    Found,
    RegistryAddress,
    Rows,
    listed,
    one,
)
from tallystick.dashboard.params import Key as NetworksKey
from tallystick.dashboard.snapshot import Snapshot

api = APIRouter()
_ONE = "/requesters/{chain_id}/{core}/{requester}"


class OfNetwork(schemas.Named):
    """A requester in a network, as far as the network's batch data were found."""

    name: schemas.Stranger
    resolvers: str = Field(description="the network's, as in its own row")
    asked: schemas.Count = Field(description="that it signed for; what became of these follows")
    open: schemas.Count
    unchallenged: schemas.Count
    audited: schemas.Count
    enclave: schemas.Count
    proven: schemas.Count
    rejected: schemas.Count
    unresolved: schemas.Count
    verified: schemas.Count = Field(description="audited + enclave + proven")
    batches: int
    operators: int = Field(description="whom it asked")
    last_time: int = Field(description="of the newest batch; Unix seconds")
    signed: schemas.Count = Field(description="that anybody signed for in the network")
    share: float = Field(description="asked / signed")
    requesters: int = Field(description="accounts that signed in the network")
    found_share: schemas.Share = Field(description="of the network's inferences with data")


class RequesterInFull(BaseModel):
    """A requester at a registry. Only inferences count whose batch data were found."""

    chain_id: int
    core: schemas.Address
    requester: schemas.Address
    asked: schemas.Count = Field(description="in all networks of the registry")
    not_all_found: int = Field(
        description="networks of the registry of which data lack: it may have asked for more there"
    )
    networks: list[OfNetwork] = Field(description="in the order of the ranking")


class RequesterOf(BaseModel):
    """A requester of a network, among those whose inferences were found."""

    requester: schemas.Address
    asked: schemas.Count
    verified: schemas.Count
    rejected: schemas.Count
    share: float = Field(description="of what anybody signed for in the network")


class Asked(schemas.Named):
    """An inference that a requester signed for."""

    batch_id: schemas.Hash
    leaf_index: int
    operator: schemas.Address
    model_id: schemas.Hash
    block_number: int = Field(description="of the commitment")
    block_time: int
    state: Literal["open", "final", "rejected"] = Field(
        description="the batch's; open: disputed too"
    )
    outcome: Literal["unchallenged", "audited", "enclave", "proven", "unresolved"] | None


def key_of(chain_id: ChainId, core: RegistryAddress, requester: Account) -> RequesterKey:
    """Return the requester that a path names."""
    return RequesterKey(chain_id, core, requester)


Key = Annotated[RequesterKey, Depends(key_of)]


@api.get(_ONE, response_model=RequesterInFull, responses=ONE)
def requester(request: Request, live: Folder, key: Key) -> Response:
    """One requester: what it signed for, by network, and its share of what anybody signed for."""
    return one(request, live, RequesterInFull, lambda now: requesters.requester(now, key))


@api.get(
    "/networks/{chain_id}/{core}/{network_id}/requesters",
    response_model=schemas.Page[RequesterOf],
    responses=LIST,
)
def requesters_of(request: Request, live: Folder, key: NetworksKey, rows: Rows) -> Response:
    """List who signed for a network's inferences, as far as data were found; most first."""

    def work(now: Snapshot) -> Found:
        return rows.of(requesters.of_network(now, key))

    return listed(request, live, RequesterOf, rows, work)


@api.get(f"{_ONE}/inferences", response_model=schemas.Page[Asked], responses=LIST)
def inferences_of(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """List the inferences that a requester signed for, the newest first."""

    def work(now: Snapshot) -> Found:
        total = requesters.requester(now, key)["asked"]
        return requesters.asked(now, key, rows.offset, rows.limit), total

    return listed(request, live, Asked, rows, work)
