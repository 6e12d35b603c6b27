"""tallystick llm proxy: an OpenAI-compatible server that signs, asks operators and checks."""

import asyncio
import socket
from pathlib import Path

import click

from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.llm.options import Asking, asking_options, teller
from tallystick.cli.params import SECONDS


@click.command(
    cls=ConsoleCommand,
    example="tallystick llm proxy --operator $NODE --model-id $LLM --rpc $RPC",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8200, show_default=True)
@click.option(
    "--allow-host",
    "allowed",
    multiple=True,
    metavar="HOST:PORT",
    help="Name by which clients may call it, besides those of this machine.",
)
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the key that clients give; made when missing. Else proxy.key in --answers.",
)
@click.option(
    "--wait",
    type=SECONDS,
    default=0,
    help="Hold answers that are no stream back until their receipt is there, so long at most; "
    "only these can have the header X-Tallystick-Verified.",
)
@asking_options
def proxy(
    asking: Asking,
    host: str,
    port: int,
    allowed: tuple[str, ...],
    key_file: Path | None,
    wait: int,
) -> None:
    """Let any OpenAI client ask a model, on this machine; keep answers and receipts.

    \b
    OPENAI_BASE_URL=http://127.0.0.1:8200/v1
    OPENAI_API_KEY=$(cat answers/proxy.key)

    Each body is signed by --account. Operators get the body and that signature; they never see the
    key, cookies or other headers. Killed and started again, it goes on with receipts that are
    missing. --json prints what happens as lines of JSON.
    """
    if asking.session.dry_run:
        asking.show_operators()
        return
    from tallystick.client.llm.proxy import hosts_of, read_key, serve

    _ = asking.session.sender
    path = key_file or asking.folder / "proxy.key"
    key = read_key(path)
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        raise CommandError(f"{host}:{port} cannot be listened on: {error}") from error
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    own = listening.getsockname()[1]
    tell = teller(asking.session.as_json)

    async def run() -> None:
        asker, collector = asking.open(tell)
        tell("listening", {"url": f"http://{host}:{own}/v1", "key_file": str(path)})
        hosts = hosts_of(host, own) | {one.lower() for one in allowed}
        await serve(asker, collector, listening, key, hosts, wait)

    asyncio.run(run())
