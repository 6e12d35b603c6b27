"""Options of commands that ask language models."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.chain import signing_options
from tallystick.cli.params import BYTES32, SECONDS
from tallystick.cli.session import Session
from tallystick.protocol.hexes import checksummed

if TYPE_CHECKING:
    from tallystick.client.llm.asking import Asker
    from tallystick.client.llm.receipts import ReceiptCollector
    from tallystick.client.llm.telling import Tell


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom a command asks for which model, and where it keeps answers."""

    session: Session
    urls: Sequence[str]
    model_id: bytes
    folder: Path
    within: int | None

    def open(self, tell: "Tell") -> "tuple[Asker, ReceiptCollector]":
        """Open what asks and what collects receipts, within the event loop that uses them."""
        from tallystick.client.llm.asking import Asker
        from tallystick.client.llm.receipts import ReceiptCollector

        session = self.session
        asker = Asker(
            session.registry,
            session.sender,
            self.model_id,
            self.urls,
            self.folder,
            self.within,
            tell,
        )
        collector = ReceiptCollector(
            session.registry,
            lambda network, operator: session.ledger(network_id=network, operator=operator),
            asker.book,
            asker.answers,
            tell=tell,
        )
        return asker, collector

    def show_operators(self) -> None:
        """Show who would be asked; signs nothing, and opens no book."""
        self.session.show(asyncio.run(self._operators()))

    async def _operators(self) -> list[dict[str, Any]]:
        import httpx

        from tallystick.client.llm.operators import Operators
        from tallystick.protocol.hexes import from_hex

        async with httpx.AsyncClient(timeout=10) as http:
            operators = Operators(self.urls, self.session.registry.domain, http)
            found = [await operators.about(url) for url in operators.urls]
        return [
            {
                "url": one.url,
                "operator": one.address,
                "network_id": one.network_id,
                "serves_model": any(
                    from_hex(model.model_id) == self.model_id for model in one.said.models
                ),
            }
            for one in found
        ]


def asking_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of asking, and an Asking as first argument."""

    @click.option(
        "--operator",
        "urls",
        multiple=True,
        required=True,
        envvar="TALLYSTICK_OPERATOR",
        metavar="URL",
        help="An operator's node; of several, the later are asked where one refuses.",
    )
    @click.option("--model-id", type=BYTES32, required=True, help="Model that is to answer.")
    @click.option(
        "--answers",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default="answers",
        show_default=True,
        help="Folder of kept answers with their receipts, and of the book of requests.",
    )
    @click.option(
        "--within", type=SECONDS, help="Time in which answers must be committed; else the middle."
    )
    @signing_options
    @wraps(function)
    def wrapped(
        session: Session,
        urls: tuple[str, ...],
        model_id: bytes,
        folder: Path,
        within: int | None,
        **values: Any,
    ) -> Any:
        return function(Asking(session, urls, model_id, folder, within), **values)

    return wrapped


def word_of(operator: bytes, key: bytes) -> str:
    """Return who signed an answer, in words."""
    if key == operator:
        return f"operator {checksummed(operator)}"
    return f"key {checksummed(key)} of operator {checksummed(operator)}"
