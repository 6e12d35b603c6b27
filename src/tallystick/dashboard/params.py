"""Parameters that the API's requests share: a network, a slice of rows, and the answer's form."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Depends, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel
from pydantic_core import PydanticCustomError

from tallystick.dashboard import schemas
from tallystick.dashboard.live import Live
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.numbers import Scope
from tallystick.dashboard.responses import answer, page, paged
from tallystick.dashboard.snapshot import NotHereError, Snapshot
from tallystick.errors import FieldError
from tallystick.protocol.hexes import ADDRESS, from_hex, to_hex

_ADDRESS = len("0x") + 2 * ADDRESS
MOST = 10_000
"""Rows of a page."""

ChainId = Annotated[int, Path(ge=0, le=2**63 - 1, description="EIP-155 chain id")]


def _checked(address: str) -> str:
    """Return an address in lower case; its mixed case must be its checksum."""
    try:
        return to_hex(from_hex(address, ADDRESS, "the address"))
    except FieldError as error:
        raise PydanticCustomError("checksum", "{said}", {"said": str(error)}) from error


RegistryAddress = Annotated[
    str,
    Path(
        pattern="^0x[0-9a-fA-F]{40}$",
        description="the registry's address; in mixed case, with a right checksum (ERC-55)",
        # No pattern tells which mixed case is right.
        json_schema_extra={"pattern": "^0x([0-9a-f]{40}|[0-9A-F]{40})$"},
    ),
    AfterValidator(_checked),
]
Account = Annotated[
    str,
    Path(
        pattern="^0x[0-9a-fA-F]{40}$",
        description="an account's address; in mixed case, with a right checksum (ERC-55)",
        json_schema_extra={"pattern": "^0x([0-9a-f]{40}|[0-9A-F]{40})$"},
    ),
    AfterValidator(_checked),
]
Id = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{64}$", description="32 bytes, hex text")]
Name = Annotated[str, Path(pattern="^[a-z_]{1,40}$", description="of a number, see definitions")]
Format = Annotated[Literal["json", "csv"], Query(description="csv: the rows only")]
State = Annotated[Literal["all", "open", "past"], Query()]

UNCHANGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"schema": {"type": "string"}}}},
    304: {"description": "What the client has is still so (If-None-Match)"},
}
ONE: dict[int | str, dict[str, Any]] = {
    **UNCHANGED,
    404: {"model": schemas.Problem, "description": "No event tells of it"},
}
LIST: dict[int | str, dict[str, Any]] = {
    **ONE,
    200: {
        **UNCHANGED[200],
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "description": "Rows",
    },
}

Found = tuple[list[Any], int]
"""Some rows, and how many there are."""


class Slice:
    """A slice of a list's rows."""

    def __init__(
        self,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        format: Format = "json",
    ) -> None:
        self.offset, self.limit, self.as_csv = offset, limit, format == "csv"

    def of(self, rows: list[Any]) -> Found:
        """Return these rows of a whole list."""
        return rows[self.offset : self.offset + self.limit], len(rows)


def live_of(request: Request) -> Live:
    """Return the data folder that is shown."""
    found: Live = request.app.state.live
    return found


def key_of(chain_id: ChainId, core: RegistryAddress, network_id: Id) -> NetworkKey:
    """Return the network that a path names."""
    return NetworkKey(chain_id, core.lower(), network_id.lower())


Rows = Annotated[Slice, Depends()]
Key = Annotated[NetworkKey, Depends(key_of)]


def scope_of(
    key: Key,
    by: Annotated[
        Literal["network", "operator", "model", "day", "since"],
        Query(description="whose number: the network's, or that of a part of it"),
    ] = "network",
    of: Annotated[
        str,
        Query(
            pattern="^(0x[0-9a-fA-F]{1,64}|[0-9]{4}-[0-9]{2}-[0-9]{2}|)$",
            description="the operator's address, the model's id, or the day (UTC); since: the "
            "first of the days",
        ),
    ] = "",
) -> Scope:
    """Return whose number is asked for."""
    if by == "network":
        return Scope(key)
    if by == "operator" and len(of) == _ADDRESS:
        try:
            of = _checked(of)
        except PydanticCustomError as error:
            place = {"type": error.type, "loc": ("query", "of"), "input": of}
            raise RequestValidationError([{**place, "msg": error.message()}]) from error
    return Scope(key, by, of.lower())


Of = Annotated[Scope, Depends(scope_of)]
Folder = Annotated[Live, Depends(live_of)]


def one(
    request: Request,
    live: Live,
    model: type[BaseModel],
    work: Callable[[Snapshot], Any],
    **asked: Any,
) -> Response:
    """Answer with one thing; 404 when it is not here. `asked` is what makes a difference."""
    snapshot = live.snapshot
    return answer(request, snapshot, model, asked, lambda: found(lambda: work(snapshot)))


def listed(
    request: Request,
    live: Live,
    model: type[BaseModel],
    rows: Slice,
    work: Callable[[Snapshot], Found],
    **asked: Any,
) -> Response:
    """Answer with some rows, as JSON or CSV; `asked` is what else makes a difference.

    `model` is of a row, or a Page that says more than its rows.
    """
    snapshot = live.snapshot

    def made() -> Any:
        some, total = found(lambda: work(snapshot))
        return page(snapshot, some, total, rows.offset, rows.limit)

    asked |= {"offset": rows.offset, "limit": rows.limit}
    return answer(request, snapshot, paged(model), asked, made, rows.as_csv)


def found(work: Callable[[], Any]) -> Any:
    """Return what there is; 404 for what is not here."""
    try:
        return work()
    except NotHereError as error:
        raise HTTPException(404, str(error)) from error
