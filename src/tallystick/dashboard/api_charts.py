"""Numbers behind charts, over HTTP: terms of a price, margins day by day."""

from datetime import date
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field

from tallystick.dashboard import schemas
from tallystick.dashboard.margins import MarginFiles
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.params import LIST, Folder, Found, Key, Rows, listed
from tallystick.dashboard.snapshot import Snapshot
from tallystick.storage.margins_file import MarginsFileError

api = APIRouter()
_ONE = "/networks/{chain_id}/{core}/{network_id}"


class Term(BaseModel):
    """A part of a price."""

    label: str
    amount: schemas.Amount = Field(description="below 0 where it is taken off")


class Priced(BaseModel):
    """The price of a fake that gets a grade, and what it is the sum of."""

    grade: Literal["audited", "enclave", "proven", "unchallenged"]
    standing: schemas.Standing = None
    price: schemas.Price
    because: str
    terms: list[Term] = Field(description="they add up to an amount; none where it is words")


class Drift(schemas.Margins):
    """Margins of the answers in batches that were committed on a day (UTC)."""

    day: date


@api.get(f"{_ONE}/prices", response_model=schemas.Page[Priced], responses=LIST)
def prices(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """Price of a fake by each grade to be had, and of an unchallenged one, term by term."""
    return listed(request, live, Priced, rows, lambda now: rows.of(now.prices(key)))


@api.get(f"{_ONE}/drift", response_model=schemas.Page[Drift], responses=LIST)
def drift(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """Margins day by day: the word of whoever wrote the files."""
    files = request.app.state.margins

    def work(now: Snapshot) -> Found:
        try:
            return rows.of(drifted(now, files, key))
        except (MarginsFileError, OSError) as error:
            raise HTTPException(500, str(error)) from error

    return listed(request, live, Drift, rows, work, files=files.version)


def drifted(snapshot: Snapshot, files: MarginFiles, key: NetworkKey) -> list[Any]:
    """Return what Drift takes, of a network's models."""
    models: Any = {row["model_id"] for row in snapshot.models(key)}
    named = sorted(files.batches())
    if not named:
        return []
    days = snapshot.events.rows(
        "SELECT batch_id::VARCHAR AS batch_id, day FROM BatchCommitted WHERE chain_id = ? "
        "AND address = ? AND network_id = ? AND batch_id IN (SELECT unnest(?))",
        *(*key, named),
    )
    return files.drift(models, {row["batch_id"]: row["day"] for row in days})
