"""tallystick serve, tallystick export: the dashboard over HTTP, and as files."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from tallystick.chain.rpc.url import RpcUrl
from tallystick.cli.bars import bar
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.options import by_chain, data_option, depth_option
from tallystick.errors import FieldError

SECRET = "TALLYSTICK_WEBHOOK_SECRET"
"""An environment variable; an option would stand in the list of processes."""


def page_url(text: str) -> str:
    """Return a URL below which the page stands, without a slash at its end.

    Raises:
        click.BadParameter: it is something else.
    """
    try:
        parts = urlsplit(text)
        port_is_right = parts.port != 0
    except ValueError:
        port_is_right = False
    if text and not (
        port_is_right
        and parts.scheme in ("http", "https")
        and parts.hostname
        and text.isascii()
        and text.isprintable()
        and not set(text) & set("@?# \"'<>\\")
    ):
        raise click.BadParameter("needed: http:// or https://, a host, and a path if need be")
    return text.rstrip("/")


probes_option = click.option(
    "--probes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Probe log, for utility; unknown without one.",
)
specs_option = click.option(
    "--specs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of specs' texts; what is audited under others is shown as not known how.",
)
margins_option = click.option(
    "--margins",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A verifier's margins.jsonl, shown as its author's word; several may be given.",
)
memory_option = click.option(
    "--memory", default="4GB", show_default=True, help="Most that DuckDB takes."
)
docs_option = click.option(
    "--docs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The docs as a site (`make docs-build`), to be put below the page as docs/.",
)
url_option = click.option(
    "--url",
    default="",
    callback=lambda _context, _option, url: page_url(url),
    help="Where people find the page: a link to it then has a picture on other sites.",
)


@click.command(cls=ConsoleCommand, example="tallystick serve --rpc $CHAIN=$RPC --follow")
@data_option
@probes_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True)
@click.option(
    "--rpc",
    "rpcs",
    multiple=True,
    metavar="CHAIN_ID=URL",
    help="JSON-RPC URL of a chain, to ask what it says of a batch; several are tried in turn.",
)
@click.option("--follow", is_flag=True, help="Extract new blocks from --rpc while serving.")
@depth_option
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=2.0,
    show_default=True,
    help="Seconds between two looks for something new.",
)
@specs_option
@margins_option
@docs_option
@url_option
@click.option(
    "--webhook",
    "webhooks",
    multiple=True,
    metavar="URL",
    callback=lambda _context, _option, urls: tuple(hook_url(url) for url in urls),
    help=f"Post news to it as signed JSON; the secret is in {SECRET}. Several may be given.",
)
@memory_option
def serve(
    data: Path,
    probes: Path | None,
    host: str,
    port: int,
    rpcs: tuple[str, ...],
    follow: bool,
    depth: int | None,
    every: float,
    specs: Path | None,
    margins: tuple[Path, ...],
    docs: Path | None,
    url: str,
    webhooks: tuple[str, ...],
    memory: str,
) -> None:
    """Show the data folder's numbers in a browser, and as a JSON API.

    What `tallystick extract` adds meanwhile is shown at once.
    """
    import uvicorn

    from tallystick.dashboard.app import create_app
    from tallystick.dashboard.live import Live
    from tallystick.dashboard.margins import MarginFiles
    from tallystick.dashboard.onchain import OnChain
    from tallystick.dashboard.refresh import Bring
    from tallystick.data.extract.dataset import Dataset
    from tallystick.data.specs import known_specs

    urls = by_chain(rpcs)
    if follow and not urls:
        raise click.UsageError("--follow needs --rpc CHAIN_ID=URL")
    live = Live(data, probes, memory, Bring(Dataset(data), urls, depth) if follow else None)
    if webhooks:
        _told(webhooks, data, url).start(lambda: live.snapshot)
    asked = OnChain(urls) if urls else None
    app: Any = create_app(live, asked, every, known_specs(specs), MarginFiles(margins), url, docs)
    click.echo(f"http://{host}:{port}", err=True)
    # Streams of live events would keep a server from ending.
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=1)


def hook_url(text: str) -> str:
    """Return a URL to be told of news.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        RpcUrl.parse(text)
    except FieldError:
        raise click.BadParameter("needed: http:// or https://, and a host") from None
    return text


def _told(urls: Sequence[str], data: Path, page: str) -> Any:
    from tallystick.dashboard.webhooks import FILE, NEEDED, Told, Webhooks, secret_of

    if not os.environ.get(SECRET):
        raise click.UsageError(f"--webhook needs {SECRET}: {NEEDED}")
    return Webhooks(urls, secret_of(os.environ[SECRET]), Told(data / FILE), page)


@click.command(cls=ConsoleCommand, example="tallystick export public --data data")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@data_option
@probes_option
@click.option(
    "--rows",
    type=click.IntRange(1),
    default=1_000,
    show_default=True,
    help="Rows of each list, the newest first; networks are all there.",
)
@specs_option
@margins_option
@docs_option
@url_option
@memory_option
def export(
    folder: Path,
    data: Path,
    probes: Path | None,
    rows: int,
    specs: Path | None,
    margins: tuple[Path, ...],
    docs: Path | None,
    url: str,
    memory: str,
) -> None:
    """Write the dashboard into FOLDER as files that any web server can host."""
    from tallystick.dashboard.export import export as run
    from tallystick.dashboard.margins import MarginFiles
    from tallystick.dashboard.snapshot import Snapshot
    from tallystick.data.specs import known_specs

    snapshot, noted = Snapshot(data, probes, memory), MarginFiles(margins)
    with bar("export (networks)") as progress:
        files = run(snapshot, folder, rows, progress, known_specs(specs), noted, docs, url)
    click.echo(f"{files} files in {folder}", err=True)
