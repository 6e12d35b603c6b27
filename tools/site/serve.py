"""Serve the built site at 127.0.0.1:8090, under the headers that `tallystick serve` sends."""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from tallystick.dashboard.app import Guard

SITE = Path(__file__).parents[2] / "build/docs"


def app(site: Path = SITE) -> Starlette:
    """Return the site as an ASGI application."""
    files = Mount("/", StaticFiles(directory=site, html=True))
    return Starlette(routes=[files], middleware=[Middleware(Guard)])


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8090
    print(f"http://127.0.0.1:{port}", file=sys.stderr)
    uvicorn.run(app(), host="127.0.0.1", port=port, log_level="warning")
