"""Answers over HTTP: JSON or CSV, each with an ETag that holds as long as the coverage does."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, get_args

from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter

from tallystick import __version__
from tallystick.dashboard.schemas import Page
from tallystick.dashboard.snapshot import Snapshot
from tallystick.dashboard.spreadsheet import to_csv
from tallystick.data.totals.ranking import NONE_RANKED

CSV = "text/csv; charset=utf-8"


def answer(
    request: Request,
    snapshot: Snapshot,
    model: type[BaseModel],
    asked: Mapping[str, Any],
    work: Callable[[], Any],
    as_csv: bool = False,
) -> Response:
    """Return what was asked for, or 304 when the client has it.

    Args:
        request: whose path, and If-None-Match, count.
        snapshot: that answers.
        model: of the answer.
        asked: the parameters that make a difference, by name.
        work: what to do when it was not asked for before; returns what the model takes.
        as_csv: the rows of a page as CSV.
    """
    question = (request.url.path, *sorted(asked.items()), as_csv)
    # Another version of the software may answer in another way.
    tag = hashlib.sha256(f"{__version__} {snapshot.version} {question}".encode()).hexdigest()[:32]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    body = snapshot.once(question, lambda: _body(model, work(), as_csv))
    if as_csv:
        name = request.url.path.rsplit("/", 1)[-1]
        headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return Response(body, headers=headers, media_type=CSV if as_csv else "application/json")


def page(snapshot: Snapshot, rows: list[Any], total: int, offset: int, limit: int) -> Any:
    """Return what a Page takes, that of networks too."""
    ranked = snapshot.ranked()
    return {
        "version": snapshot.version,
        "ranked": ranked,
        "none_ranked": "" if ranked else NONE_RANKED,
        "total": total,
        "offset": offset,
        "limit": limit,
        "rows": rows,
    }


def paged(model: type[BaseModel]) -> type[Page[Any]]:
    """Return the Page of a row's model; a Page that says more than its rows as it is."""
    return model if issubclass(model, Page) else Page[model]  # type: ignore[valid-type]


def row_of(whole: type[Page[Any]]) -> type[BaseModel]:
    """Return the model of a Page's rows."""
    (row,) = get_args(whole.model_fields["rows"].annotation)
    found: type[BaseModel] = row
    return found


def _has(given: str, tag: str) -> bool:
    tags = [one.strip().removeprefix("W/") for one in given.split(",")]
    return "*" in tags or f'"{tag}"' in tags


def _body(model: type[BaseModel], found: Any, as_csv: bool) -> bytes:
    made = TypeAdapter(model).validate_python(found)
    if not as_csv:
        return made.model_dump_json().encode()
    assert isinstance(made, Page)
    row = row_of(type(made))
    rows = [one.model_dump(mode="json") for one in made.rows]
    return to_csv(row.model_fields, rows).encode()
