"""tallystick llm proxy: an OpenAI-compatible server that signs, asks operators and checks."""

import asyncio

import click

from tallystick.cli.command import ConsoleCommand
from tallystick.cli.listening import Listening, listening_options
from tallystick.cli.llm.options import Asking, asking_options
from tallystick.cli.output import teller
from tallystick.cli.params import SECONDS


@click.command(
    cls=ConsoleCommand,
    example="tallystick llm proxy --operator $NODE --model-id $LLM --rpc $RPC",
)
@listening_options
@click.option(
    "--wait",
    type=SECONDS,
    default=0,
    help="Hold answers that are no stream back until their receipt is there, so long at most; "
    "only these can have the header X-Tallystick-Verified.",
)
@asking_options
def proxy(asking: Asking, listening: Listening, wait: int) -> None:
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
    from tallystick.client.llm.proxy import serve

    _ = asking.session.sender
    path, key = listening.key(asking.folder)
    opened, url, hosts = listening.open()
    tell = teller(asking.session.as_json)

    async def run() -> None:
        asker, collector = asking.open(tell)
        tell("listening", {"url": url, "key_file": str(path)})
        await serve(asker, collector, opened, key, hosts, wait)

    asyncio.run(run())
