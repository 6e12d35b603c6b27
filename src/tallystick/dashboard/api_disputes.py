"""Disputes over HTTP: one, with its sides and amounts; lists are in api_batches.py."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from tallystick.dashboard import one_dispute, schemas
from tallystick.dashboard.params import ONE, ChainId, Folder, Id, RegistryAddress, one

api = APIRouter()
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="of the batch's disputes, from 1 on")]


class DisputeInFull(schemas.Dispute):
    """A challenge or a demand, what it is about, and what each side has at stake."""

    name: schemas.Stranger = Field(description="of the network: data only, never to be run")
    asset: schemas.Address
    model_id: schemas.Hash
    count: schemas.Count = Field(description="of the batch")
    committed_at: int
    committed_block: int
    batch_state: Literal["open", "disputed", "final", "rejected"] = Field(description="now")
    batch_outcome: Literal["unchallenged", "audited", "enclave", "proven", "unresolved"] | None
    arbiter: schemas.Address | None = Field(description="null: the network has none")
    arbiter_standing: schemas.Standing
    bond: schemas.Amount = Field(description="of whoever opened it, by the network's rules")
    at_stake: schemas.Amount = Field(description="of the operator: what a rejection takes")
    steps: list[schemas.Step] = Field(
        description="the event that opened it and, unless it is open, the one that ended it"
    )


@api.get(
    "/disputes/{chain_id}/{core}/{batch_id}/{number}", response_model=DisputeInFull, responses=ONE
)
def dispute(
    request: Request,
    live: Folder,
    chain_id: ChainId,
    core: RegistryAddress,
    batch_id: Id,
    number: Number,
) -> Response:
    """One dispute: who asked what of whom, how it ended, and where the money went."""
    return one(
        request,
        live,
        DisputeInFull,
        lambda now: one_dispute.dispute(now, chain_id, core, batch_id.lower(), number),
    )
