"""Evidence over HTTP: what audits compared, and what verifiers say that they measured."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from tallystick.dashboard import schemas
from tallystick.dashboard.params import LIST, Folder, Found, Key, Rows, listed
from tallystick.dashboard.snapshot import Snapshot
from tallystick.data.specs import audited_by_spec
from tallystick.storage.margins_file import MarginsFileError

api = APIRouter()
_ONE = "/networks/{chain_id}/{core}/{network_id}"


@api.get(f"{_ONE}/evidence", response_model=schemas.Page[schemas.Evidence], responses=LIST)
def evidence(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """Count audits by spec: by equal bytes, within a tolerance, or not known how."""
    specs = request.app.state.specs

    def work(now: Snapshot) -> Found:
        return rows.of(audited_by_spec(now.models(key), specs))

    return listed(request, live, schemas.Evidence, rows, work, specs=tuple(sorted(specs)))


@api.get(f"{_ONE}/margins", response_model=schemas.Page[schemas.Margins], responses=LIST)
def margins(request: Request, live: Folder, key: Key, rows: Rows) -> Response:
    """Margins of language models' answers, by operator: the word of whoever wrote the file."""
    files = request.app.state.margins

    def work(now: Snapshot) -> Found:
        models: Any = {row["model_id"] for row in now.models(key)}
        try:
            return rows.of(files.rows(models))
        except (MarginsFileError, OSError) as error:
            raise HTTPException(500, str(error)) from error

    return listed(request, live, schemas.Margins, rows, work, files=files.version)
