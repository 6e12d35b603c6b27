"""Options of servers on this machine that are meant for its own user alone."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from tallystick.cli.command import CommandError


@dataclass(frozen=True, slots=True)
class Listening:
    """A server's address, and who may call it."""

    host: str
    port: int
    allowed: tuple[str, ...]
    key_file: Path | None

    def key(self, folder: Path) -> tuple[Path, str]:
        """Return file and key that clients give; made in a folder unless another file was named."""
        from tallystick.client.llm.guard import read_key

        path = self.key_file or folder / "proxy.key"
        return path, read_key(path)

    def open(self) -> tuple[socket.socket, str, set[str]]:
        """Listen; return socket, URL, and values of Host by which the server is called.

        Raises:
            CommandError: the address is taken, or not this machine's.
        """
        from tallystick.client.llm.guard import hosts_of

        try:
            listening = socket.create_server((self.host, self.port))
        except OSError as error:
            raise CommandError(f"{self.host}:{self.port} cannot be listened on: {error}") from error
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own = listening.getsockname()[1]
        hosts = hosts_of(self.host, own) | {one.lower() for one in self.allowed}
        return listening, f"http://{self.host}:{own}/v1", hosts


def listening_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of listening, and a Listening by name."""

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
    @wraps(function)
    def wrapped(
        *args: Any,
        host: str,
        port: int,
        allowed: tuple[str, ...],
        key_file: Path | None,
        **values: Any,
    ) -> Any:
        return function(*args, listening=Listening(host, port, allowed, key_file), **values)

    return wrapped
