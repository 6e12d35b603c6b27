"""Pages and pictures over HTTP that other sites read or show: what people send to each other."""

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from tallystick.dashboard.card import card_of
from tallystick.dashboard.linked import Site, index, network_page
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.params import ONE, Folder, Key, found
from tallystick.dashboard.preview import PreviewError, preview
from tallystick.dashboard.snapshot import Snapshot

PNG = "image/png"
_OF = "/networks/{chain_id}/{core}/{network_id}"
_IMAGE = {"content": {PNG: {"schema": {"type": "string"}}}, "description": "1200 x 630 pixels"}
_NO_FONT = {"model": ONE[404]["model"], "description": "Pillow reads no font here"}

api = APIRouter()
"""Below /api/v1."""
pages = APIRouter(include_in_schema=False)
"""Below the root."""


@api.get("/preview.png", response_class=Response, responses={200: _IMAGE, 503: _NO_FONT})
def preview_of_all(live: Folder) -> Response:
    """Draw what all ranked networks verified in 30 days, for a link to the page."""
    return _drawn(live.snapshot, None)


@api.get(
    f"{_OF}/preview.png",
    response_class=Response,
    responses={200: _IMAGE, 404: ONE[404], 503: _NO_FONT},
)
def preview_of(live: Folder, key: Key) -> Response:
    """Draw what a network verified in 30 days, for a link to it."""
    return _drawn(live.snapshot, key)


@pages.api_route("/", methods=["GET", "HEAD"])
@pages.api_route("/index.html", methods=["GET", "HEAD"])
def first(request: Request, live: Folder) -> HTMLResponse:
    """Answer with the page's first file."""
    return HTMLResponse(index(live.snapshot, site_of(request)))


@pages.api_route(f"{_OF}/", methods=["GET", "HEAD"])
@pages.api_route(f"{_OF}/index.html", methods=["GET", "HEAD"])
def network(request: Request, live: Folder, key: Key) -> HTMLResponse:
    """Answer with a network's own file."""
    return HTMLResponse(found(lambda: network_page(live.snapshot, key, site_of(request))))


def site_of(request: Request) -> Site:
    """Return where the page is."""
    site: Site = request.app.state.site
    return site


def _drawn(now: Snapshot, key: NetworkKey | None) -> Response:
    try:
        body = found(lambda: now.once(("preview", key), lambda: preview(card_of(now, key))))
    except PreviewError as error:
        raise HTTPException(503, str(error)) from error
    return Response(body, media_type=PNG)
