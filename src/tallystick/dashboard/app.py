"""The dashboard over HTTP: page, API and the headers that keep strangers' words harmless."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallystick.dashboard import (
    api_batches,
    api_charts,
    api_coverage,
    api_disputes,
    api_elsewhere,
    api_evidence,
    api_models,
    api_networks,
    api_operators,
    api_requesters,
    api_resolvers,
    api_search,
    api_sharing,
    api_transactions,
)
from tallystick.dashboard.embed import POLICY as EMBED
from tallystick.dashboard.live import EVERY, Live
from tallystick.dashboard.margins import MarginFiles
from tallystick.dashboard.onchain import OnChain
from tallystick.dashboard.site import Site, check_docs
from tallystick.data.specs import KnownSpec, known_specs

PAGE = Path(__file__).parent / "page"
POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # An answer with a policy of its own says there who may frame it.
                framed = headers.get("Content-Security-Policy") == EMBED
                for name, value in HEADERS.items():
                    if not (framed and name == "X-Frame-Options"):
                        headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)


def create_app(
    live: Live,
    chain: OnChain | None = None,
    every: float = EVERY,
    specs: Mapping[str, KnownSpec] | None = None,
    margins: MarginFiles | None = None,
    url: str = "",
    docs: Path | None = None,
) -> FastAPI:
    """Return the dashboard as an ASGI application.

    Args:
        live: the data folder.
        chain: nodes to ask what the chain says of a batch; None: it is not asked.
        every: seconds between two looks at the folder.
        specs: texts of specs that are known; None: those of the library.
        margins: files of verifiers; None: there are none.
        url: where people find the page, for what other sites show beside a link; empty: unknown.
        docs: a built site of docs/, to stand at /docs/; None: there is none.

    Raises:
        DocsError: docs is no built site.
    """
    if docs is not None:
        check_docs(docs)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        live.start(every)
        yield
        live.stop()

    app = FastAPI(
        title="Tallystick",
        version="1",
        summary="Verified inference per network, from events alone.",
        lifespan=lifespan,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.add_middleware(GZipMiddleware, minimum_size=2_000)

    app.add_middleware(Guard)
    app.state.live, app.state.chain = live, chain
    app.state.specs = known_specs() if specs is None else specs
    app.state.margins = margins or MarginFiles()
    app.state.site = Site(url, docs is not None)
    for part in (
        api_coverage,
        api_networks,
        api_evidence,
        api_charts,
        api_batches,
        api_elsewhere,
        api_operators,
        api_models,
        api_requesters,
        api_resolvers,
        api_disputes,
        api_transactions,
        api_search,
        api_sharing,
    ):
        app.include_router(part.api, prefix="/api/v1", tags=["v1"])
    app.include_router(api_sharing.pages)
    if docs is not None:
        app.add_route("/docs", lambda _: RedirectResponse("docs/"))
        app.mount("/docs", StaticFiles(directory=docs, html=True), name="docs")
    app.mount("/", StaticFiles(directory=PAGE, html=True), name="page")
    return app
