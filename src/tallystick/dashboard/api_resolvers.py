"""Resolvers over HTTP: one that networks name, with its terms, seats and rulings."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from tallystick.dashboard import resolvers, schemas
from tallystick.dashboard.network_key import ResolverKey
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
from tallystick.dashboard.snapshot import Snapshot

api = APIRouter()
_ONE = "/resolvers/{chain_id}/{core}/{resolver}"


class NamedBy(schemas.Named):
    """A network that names a resolver, and its standing there: rules make a difference."""

    name: schemas.Stranger = Field(description="of the network: data only, never to be run")
    rank: int | None
    gives: Literal["audited", "enclave", "proven", "arbiter"] = Field(
        description="the grade that it gives, or that it rules"
    )
    standing: Literal["known", "self-declared", "unidentified"]
    reason: str = Field(description="why it is not known; empty: it is")
    unmet: list[schemas.Unmet] = Field(description="empty: it is known")
    audits: int = Field(ge=0, description="of the network's batches, on record in a pool")
    counted: int | None = Field(
        description="inferences of the network that are final in this grade; null: it gives none"
    )


class Rulings(BaseModel):
    """The rulings of an arbiter on challenges, in all networks of the registry that name it."""

    open: int = Field(description="challenges that wait for it")
    upheld: int = Field(description="leaves that it found right")
    lapsed: int = Field(description="challenges on which it did not rule in time")
    convictions: int = Field(description="batches rejected by its ruling, or by a disproof")


class ResolverInFull(BaseModel):
    """A contract that rules of networks name, as attestor or as arbiter."""

    chain_id: int
    core: schemas.Address
    resolver: schemas.Address
    name: str = Field(description="of its code on the published list; empty: it is not there")
    terms: dict[str, Any] = Field(description="as read on chain, by view; empty: none were")
    pool: bool = Field(description="whether its panels are drawn from seats")
    seats: schemas.Seats | None = Field(description="null: no pool, or not read at this block")
    rulings: Rulings | None = Field(description="null: nobody's arbiter")
    networks: list[NamedBy] = Field(
        description="by place in their rules, in the order of the ranking: 100 at most"
    )
    networks_total: int = Field(description="anybody may register one that names it")


class SeatsOf(schemas.HeldSeats):
    """The seats of an account, of a pool's list."""

    share: float = Field(description="of all seats of the epoch; one holder may have more accounts")


def key_of(chain_id: ChainId, core: RegistryAddress, resolver: Account) -> ResolverKey:
    """Return the resolver that a path names."""
    return ResolverKey(chain_id, core, resolver)


Key = Annotated[ResolverKey, Depends(key_of)]


@api.get(_ONE, response_model=ResolverInFull, responses=ONE)
def resolver(request: Request, live: Folder, key: Key) -> Response:
    """One resolver: its kind and terms, who names it, whether it is known there, its rulings."""
    return one(request, live, ResolverInFull, lambda now: resolvers.resolver(now, key))


@api.get(f"{_ONE}/seats", response_model=schemas.Page[SeatsOf], responses=LIST)
def seats_of(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """List the accounts with seats of a pool, those with most first; none of another resolver."""
    return listed(request, live, SeatsOf, rows, lambda now: rows.of(resolvers.seats(now, key)))


@api.get(f"{_ONE}/rejections", response_model=schemas.Page[schemas.Rejection], responses=LIST)
def convictions(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """List the batches that an arbiter's rulings and disproofs rejected, the newest first."""

    def work(now: Snapshot) -> Found:
        resolvers.resolver(now, key)
        some = now.disputes.rejected(rows.offset, rows.limit, key)
        return some, now.disputes.rejected_count(key)

    return listed(request, live, schemas.Rejection, rows, work)
