"""tallystick llm ask: one question, its answer as it comes, and what of it was checked."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.llm.options import Asking, asking_options, word_of
from tallystick.cli.params import SECONDS

if TYPE_CHECKING:
    from tallystick.client.llm.kept import KeptAnswer
    from tallystick.client.llm.receipts import ReceiptCollector


@click.command(
    cls=ConsoleCommand,
    example='tallystick llm ask "Tell me a joke." --operator $NODE --model-id $LLM --rpc $RPC',
)
@click.argument("text")
@click.option("--system", metavar="TEXT", help="System message.")
@click.option("--max-tokens", type=click.IntRange(1), help="Most tokens; else as the spec says.")
@click.option("--temperature", type=click.FloatRange(0, 2), default=1.0, show_default=True)
@click.option("--min-p", type=click.FloatRange(0, 1), default=0.0, show_default=True)
@click.option("--wait", type=SECONDS, default=0, help="Wait for the receipt, so long at most.")
@asking_options
def ask(
    asking: Asking,
    text: str,
    system: str | None,
    max_tokens: int | None,
    temperature: float,
    min_p: float,
    wait: int,
) -> None:
    """Ask a model TEXT, and print its answer as it comes.

    At its end it is checked: the text, tokens and reason of its end are those of the output that
    the operator signed. It is kept in --answers. Asked again after it failed, or was interrupted,
    the same question goes on where it was.
    """
    if asking.session.dry_run:
        asking.show_operators()
        return
    messages = [{"role": "system", "content": system}] if system is not None else []
    body: dict[str, Any] = {
        "messages": [*messages, {"role": "user", "content": text}],
        "temperature": temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    if min_p:
        body["min_p"] = min_p
    asyncio.run(_ask(asking, json.dumps(body, ensure_ascii=False).encode(), wait))


async def _ask(asking: Asking, body: bytes, wait: int) -> None:
    from tallystick.client.llm.asking import CHAT
    from tallystick.client.llm.telling import tell_nobody

    as_json = asking.session.as_json
    asker, collector = asking.open(tell_nobody)
    try:
        answering = await asker.ask(CHAT, body)
        try:
            async for _, part in answering.parts():
                if not as_json:
                    click.echo(part, nl=False)
        finally:
            if not as_json:
                click.echo()
        await answering.received()
        kept = answering.kept
        if not as_json:
            _tell(f"checked: text, finish_reason, usage, id; signed by {_signer(kept)}")
            _tell(f"kept: {asker.answers.file(kept.id)}")
        if wait:
            kept = await _receipt(collector, kept, wait)
        receipt = kept.receipt
        if as_json:
            asking.session.show(
                {
                    "id": kept.id,
                    "text": kept.answer.text,
                    "tokens": len(kept.answer.output.tokens),
                    "operator": kept.request.operator,
                    "key": kept.key,
                    "batch_id": receipt and receipt.batch_id,
                    "file": str(asker.answers.file(kept.id)),
                }
            )
        elif receipt is not None:
            leaf = f"leaf {receipt.opening.leaf_index} of batch 0x{receipt.batch_id.hex()}"
            _tell(f"receipt: {leaf}; the chain has it")
    finally:
        await asker.close()


async def _receipt(collector: "ReceiptCollector", kept: "KeptAnswer", wait: int) -> "KeptAnswer":
    running = asyncio.create_task(collector.run())
    try:
        found = await collector.wait(kept.id, wait)
    finally:
        running.cancel()
    if found is None:
        raise CommandError(
            f"{kept.id} has no receipt after {wait} s; `tallystick llm proxy` or the next --wait "
            "gets it"
        )
    return found


def _signer(kept: "KeptAnswer") -> str:
    return word_of(kept.request.operator, kept.key)


def _tell(line: str) -> None:
    click.echo(line, err=True)
