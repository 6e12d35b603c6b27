"""Networks over HTTP: their numbers, their parts, and what the numbers are made of."""

from typing import Any

from fastapi import APIRouter, Request, Response

from tallystick.dashboard import numbers, schemas
from tallystick.dashboard.badge import PERIOD, badge
from tallystick.dashboard.params import (
    LIST,
    ONE,
    Folder,
    Found,
    Key,
    Name,
    Of,
    Rows,
    found,
    listed,
    one,
)
from tallystick.dashboard.periods import Period
from tallystick.dashboard.snapshot import Snapshot

api = APIRouter()
SVG = "image/svg+xml"
_ONE = "/networks/{chain_id}/{core}/{network_id}"


@api.get("/networks", response_model=schemas.Networks, responses=LIST)
def networks(request: Request, live: Folder, rows: Rows) -> Response:
    """Networks with all their numbers: the ranked ones first; `none_ranked` says why none is."""
    return listed(request, live, schemas.Networks, rows, lambda now: rows.of(now.networks()))


@api.get(_ONE, response_model=schemas.Network, responses=ONE)
def network(request: Request, live: Folder, key: Key) -> Response:
    """One network with all its numbers."""
    return one(request, live, schemas.Network, lambda now: now.network(key))


@api.get(f"{_ONE}/registration", response_model=schemas.Registration, responses=ONE)
def registration(request: Request, live: Folder, key: Key) -> Response:
    """A network's rules, as registered and in plain words."""
    return one(request, live, schemas.Registration, lambda now: now.registration(key))


@api.get(f"{_ONE}/summary/{{period}}", response_model=schemas.NetworkInPeriod, responses=ONE)
def in_period(request: Request, live: Folder, key: Key, period: Period) -> Response:
    """Count what became final in a network in the last days, beside as many days before."""
    return one(request, live, schemas.NetworkInPeriod, lambda now: now.in_period(key, period))


@api.get(
    f"{_ONE}/badge.svg",
    response_class=Response,
    responses={
        200: {"content": {SVG: {"schema": {"type": "string"}}}, "description": "An image"},
        404: ONE[404],
    },
)
def badge_of(live: Folder, key: Key) -> Response:
    """Draw what a network verified in 30 days, for other people's pages."""
    now = live.snapshot
    return Response(found(lambda: badge(now.in_period(key, PERIOD))), media_type=SVG)


@api.get(f"{_ONE}/days", response_model=schemas.Page[schemas.Day], responses=LIST)
def days(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """List the growth of a network's counters, day by day (UTC)."""
    return listed(request, live, schemas.Day, rows, lambda now: rows.of(now.days(key)))


@api.get(f"{_ONE}/operators", response_model=schemas.Page[schemas.Operator], responses=LIST)
def operators(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """A network's operators with their counters and stake."""
    return listed(request, live, schemas.Operator, rows, lambda now: rows.of(now.operators(key)))


@api.get(f"{_ONE}/models", response_model=schemas.Page[schemas.Model], responses=LIST)
def models(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """A network's models with their counters."""
    return listed(request, live, schemas.Model, rows, lambda now: rows.of(now.models(key)))


@api.get(f"{_ONE}/numbers/{{name}}", response_model=schemas.Number, responses=ONE)
def number(request: Request, live: Folder, scope: Of, name: Name) -> Response:
    """Break a number down: its definition, queries and blocks."""
    return one(request, live, schemas.Number, lambda now: now.number(scope, name), of=scope)


@api.get(
    f"{_ONE}/numbers/{{name}}/events",
    response_model=schemas.Page[schemas.NumberEvent],
    responses=LIST,
)
def number_events(request: Request, live: Folder, scope: Of, name: Name, rows: Rows) -> Response:
    """The events that a number is made of, the newest first."""

    def work(now: Snapshot) -> Found:
        total: Any = now.number(scope, name)["events"]
        parts = now.parts(scope, name)
        return numbers.events_of(now.events, scope, parts, rows.offset, rows.limit), total

    return listed(request, live, schemas.NumberEvent, rows, work, of=scope)
