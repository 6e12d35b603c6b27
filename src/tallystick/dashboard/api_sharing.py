"""Pages and pictures over HTTP that other sites read or show: what people send to each other."""

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from tallystick.dashboard.card import card_of
from tallystick.dashboard.embed import POLICY, embed
from tallystick.dashboard.feed import TYPE, feed
from tallystick.dashboard.linked import index, network_page
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.params import ONE, Folder, Key, found
from tallystick.dashboard.preview import PreviewError, preview
from tallystick.dashboard.site import Site
from tallystick.dashboard.snapshot import Snapshot

PNG = "image/png"
_OF = "/networks/{chain_id}/{core}/{network_id}"
_IMAGE = {"content": {PNG: {"schema": {"type": "string"}}}, "description": "1200 x 630 pixels"}
_ATOM = {"content": {TYPE: {"schema": {"type": "string"}}}, "description": "RFC 4287"}
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


@api.get("/feed.atom", response_class=Response, responses={200: _ATOM})
def feed_of_all(request: Request, live: Folder) -> Response:
    """Tell the news of all networks as Atom: disputes, rejections, overdue answers, ranks."""
    return _told(request, live.snapshot, None)


@api.get(f"{_OF}/feed.atom", response_class=Response, responses={200: _ATOM, 404: ONE[404]})
def feed_of(request: Request, live: Folder, key: Key) -> Response:
    """Tell the news of a network as Atom."""
    return _told(request, live.snapshot, key)


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


@pages.api_route("/embed/{chain_id}/{core}/{network_id}/", methods=["GET", "HEAD"])
@pages.api_route("/embed/{chain_id}/{core}/{network_id}/index.html", methods=["GET", "HEAD"])
def embedded(request: Request, live: Folder, key: Key) -> HTMLResponse:
    """Answer with a network's chart, for frames on other people's pages."""
    body = found(lambda: embed(live.snapshot, key, site_of(request)))
    return HTMLResponse(body, headers={"Content-Security-Policy": POLICY})


@pages.api_route(_OF, methods=["GET", "HEAD"])
@pages.api_route("/embed/{chain_id}/{core}/{network_id}", methods=["GET", "HEAD"])
def folder(request: Request, key: Key) -> RedirectResponse:
    """Lead to the same with a slash at its end, as hosts of files do: links in it are relative."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{key.network_id}/{query}")


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


def _told(request: Request, now: Snapshot, key: NetworkKey | None) -> Response:
    site = site_of(request)
    body = found(lambda: now.once(("feed", key), lambda: feed(now, site, key)))
    return Response(body, media_type=TYPE)
