"""Operators over HTTP: one at a registry, with its lanes, batches, disputes and losses."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from tallystick.dashboard import operators, schemas
from tallystick.dashboard.network_key import OperatorKey
from tallystick.dashboard.params import (
    LIST,
    ONE,
    Account,
    ChainId,
    Folder,
    Found,
    RegistryAddress,
    Rows,
    State,
    listed,
    one,
)
from tallystick.dashboard.snapshot import Snapshot

api = APIRouter()
_ONE = "/operators/{chain_id}/{core}/{operator}"


class Lane(schemas.Operator, schemas.Named):
    """An operator's counters, stake and losses in one network."""

    name: schemas.Stranger
    asset: schemas.Address
    resolvers: str = Field(description="the network's, as in its own row")
    known_verified: schemas.Count = Field(description="of verified: by known resolvers' grades")
    lost: schemas.Amount = Field(description="of its stake, in rejections: rewarded and burned")


class KeyChange(BaseModel):
    """A key that may commit for an operator from a block on, in place of the one before."""

    key: schemas.Address = Field(description="zero: no key may")
    block_number: int
    block_time: int
    transaction_hash: schemas.Hash


class OperatorInFull(BaseModel):
    """An operator at a registry. Lanes are not added up: networks may share work."""

    chain_id: int
    core: schemas.Address
    operator: schemas.Address
    batches: int
    disputes_open: int
    disputes_past: int
    rejections: int = Field(description="batches")
    keys: list[KeyChange] = Field(description="the last one is in force; empty: none was ever set")
    lanes: list[Lane] = Field(
        description="where it committed or staked, in the order of the ranking"
    )


def key_of(chain_id: ChainId, core: RegistryAddress, operator: Account) -> OperatorKey:
    """Return the operator that a path names."""
    return OperatorKey(chain_id, core, operator)


Key = Annotated[OperatorKey, Depends(key_of)]


@api.get(_ONE, response_model=OperatorInFull, responses=ONE)
def operator(request: Request, live: Folder, key: Key) -> Response:
    """One operator: its counters in each network, its keys, and what it lost."""
    return one(request, live, OperatorInFull, lambda now: operators.operator(now, key))


@api.get(f"{_ONE}/batches", response_model=schemas.Page[schemas.Batch], responses=LIST)
def batches_of_operator(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """An operator's batches, the newest first."""

    def work(now: Snapshot) -> Found:
        operators.operator(now, key)
        return now.batches.page(key, rows.offset, rows.limit), now.batches.count(key)

    return listed(request, live, schemas.Batch, rows, work)


@api.get(f"{_ONE}/disputes", response_model=schemas.Page[schemas.Dispute], responses=LIST)
def disputes_of_operator(
    request: Request, live: Folder, key: Key, rows: Rows, state: State = "all"
) -> Response:
    """Disputes about an operator's batches, the newest first."""

    def work(now: Snapshot) -> Found:
        operators.operator(now, key)
        some = now.disputes.page(state, rows.offset, rows.limit, key)
        return some, now.disputes.count(state, key)

    return listed(request, live, schemas.Dispute, rows, work, state=state)


@api.get(f"{_ONE}/rejections", response_model=schemas.Page[schemas.Rejection], responses=LIST)
def rejections_of_operator(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """List the batches by which an operator lost stake, and why; the newest first."""

    def work(now: Snapshot) -> Found:
        operators.operator(now, key)
        some = now.disputes.rejected(rows.offset, rows.limit, key)
        return some, now.disputes.rejected_count(key)

    return listed(request, live, schemas.Rejection, rows, work)
