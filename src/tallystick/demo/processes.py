"""Nodes of the story as processes of their own, as `ape tallystick node` starts them anywhere."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tallystick.demo.cast import ROLES
from tallystick.errors import TallystickError


class NodeError(TallystickError, RuntimeError):
    """A node of the story is gone, or did not do its part in time."""


class NodeProcess:
    """One process, with a role's account.

    Args:
        kind: operator or verifier.
        role: whose account it has.
        settings: its sections.
        folder: of its settings and log.
        python: arguments of a Python that runs in place of the node; {settings} is its file.
    """

    def __init__(
        self,
        kind: str,
        role: str,
        settings: Mapping[str, Mapping[str, Any]],
        folder: Path,
        python: Sequence[str] = (),
    ) -> None:
        self.role, self._log = role, folder / f"{role.replace(' ', '-')}.log"
        file = self._log.with_suffix(".yaml")
        common = {**settings["common"], "account": f"TEST::{ROLES.index(role)}"}
        file.write_text(yaml.safe_dump({**settings, "common": common}))
        ape = shutil.which("ape")
        if ape is None:
            raise NodeError("ape is not on PATH; `make env` says how to put it there")
        command = [ape, "tallystick", "node", kind, "--settings", str(file)]
        if python:
            command = [sys.executable, *(one.format(settings=file) for one in python)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                # Elsewhere than in the checkout, Ape knows ten of the chain's accounts.
                env=os.environ | {"APE_TEST_NUMBER_OF_ACCOUNTS": str(len(ROLES))},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-5:])

    @property
    def alive(self) -> bool:
        """True while it runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ask it to end, and see to it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def ended(nodes: list[NodeProcess]) -> Iterator[None]:
    """End all nodes at the end, whatever happens."""
    try:
        yield
    finally:
        for node in nodes:
            node.end()


def wait(
    done: Callable[[], bool], what: str, nodes: list[NodeProcess], timeout: float = 180
) -> None:
    """Wait until something is so.

    Raises:
        NodeError: it did not become so in time, or a node is gone; with what that one said last.
    """
    end = time.monotonic() + timeout
    while not done():
        for node in nodes:
            if not node.alive:
                raise NodeError(f"the node of {node.role} is gone; it said: {node.log}")
        if time.monotonic() > end:
            said = "; ".join(f"{node.role}: {node.log}" for node in nodes)
            raise NodeError(f"not within {timeout:g} s: {what}; the nodes said: {said}")
        time.sleep(0.1)


def free_port() -> int:
    """Return a port of this machine that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
