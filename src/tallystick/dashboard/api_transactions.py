"""Transactions over HTTP: the registry's events in one."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from tallystick.dashboard import schemas, transactions
from tallystick.dashboard.params import ONE, ChainId, Folder, Id, one

api = APIRouter()


class EventOfTransaction(BaseModel, extra="allow"):
    """An event of a registry, with the event's own fields; amounts are decimal text."""

    core: schemas.Address
    event: str
    block_number: int
    block_time: int
    log_index: int
    network_id: schemas.Hash | None = None
    operator: schemas.Address | None = None
    batch_id: schemas.Hash | None = None


class NetworkOfTransaction(schemas.Named):
    """A network that a transaction's events name."""

    name: schemas.Stranger
    asset: schemas.Address


class DisputeOfTransaction(BaseModel):
    """A dispute that a transaction opened or ended."""

    core: schemas.Address
    batch_id: schemas.Hash
    number: int
    kind: Literal["challenge", "demand"]
    opened: bool = Field(description="false: ended")


class TransactionInFull(BaseModel):
    """A transaction, as far as events tell of it; those that only carry data are left out."""

    chain_id: int
    transaction_hash: schemas.Hash
    block_number: int
    block_time: int
    transaction_index: int
    gas_used: int | None = Field(description="null: receipts were not read (extract --gas)")
    events: list[EventOfTransaction] = Field(description="in their order")
    networks: list[NetworkOfTransaction]
    disputes: list[DisputeOfTransaction]


@api.get(
    "/transactions/{chain_id}/{transaction_hash}", response_model=TransactionInFull, responses=ONE
)
def transaction(
    request: Request, live: Folder, chain_id: ChainId, transaction_hash: Id
) -> Response:
    """One transaction: each event of a registry in it, and the disputes that it opened or ended."""
    return one(
        request,
        live,
        TransactionInFull,
        lambda now: transactions.transaction(now, chain_id, transaction_hash.lower()),
    )
