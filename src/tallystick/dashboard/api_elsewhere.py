"""Networks that live elsewhere, over HTTP: claimed beside verified, each in its own unit."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from tallystick.dashboard import schemas
from tallystick.dashboard.params import UNCHANGED, Folder, one
from tallystick.networks import state

api = APIRouter()


@api.get("/elsewhere", response_model=schemas.Elsewhere, responses=UNCHANGED)
def elsewhere(request: Request, live: Folder) -> Response:
    """List the followed networks, with what each claims by verdict. Units differ: never add."""
    return one(request, live, schemas.Elsewhere, lambda now: followed(now.folder, now.version))


def followed(folder: Path, version: str) -> Any:
    """Return what schemas.Elsewhere takes, of the networks followed into a data folder."""
    rows = []
    for name in state.names(folder):
        found = state.read(folder, name)
        if found is None:
            continue
        table = state.findings(folder, name)
        counts = {key.replace("-", "_"): count for key, count in state.summary(table).items()}
        rows.append(
            {
                "name": name,
                "adapter": found.adapter,
                "title": found.title,
                "unit": found.unit,
                **counts,
                "reasons": list(state.reasons(table)),
                "measures": {key: str(value) for key, value in found.measures.items()},
                "last_blocks": dict(found.last_blocks),
                # Why is not told: everybody reads the page, and a node's words may hold its key.
                "behind": sorted(found.failures),
                "malformed": found.malformed,
                "upgrades": found.upgrades,
                "cautions": list(found.cautions),
            }
        )
    return {"version": version, "networks": rows}
