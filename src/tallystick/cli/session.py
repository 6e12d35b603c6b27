"""A command's chain: where the core is, who sends, and what its events say."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from web3 import HTTPProvider, Web3

from tallystick.chain import deployments
from tallystick.chain.ape_sender import ApeSender
from tallystick.chain.call import Call
from tallystick.chain.fold import EventSource, read_ledger
from tallystick.chain.keyfile import has_passphrase, unlock
from tallystick.chain.registry import Registry
from tallystick.chain.sender import Sender, Sent
from tallystick.cli.command import CommandError
from tallystick.hexes import checksummed
from tallystick.ledger import Ledger
from tallystick.output import Row, show

_TIMEOUT = 30.0
"""Seconds for an answer of a further node."""


class Session:
    """What a command works with.

    Args:
        w3: connected.
        registry: the core's address, 20 bytes; None: as recorded for the chain.
        sender: who sends; None: nobody was named.
        as_json: print JSON.
        dry_run: send nothing.
        more_rpcs: URLs of nodes to read events from where the first leaves some out.
    """

    def __init__(
        self,
        w3: Web3,
        registry: bytes | None = None,
        sender: Sender | None = None,
        as_json: bool = False,
        dry_run: bool = False,
        more_rpcs: Sequence[str] = (),
    ) -> None:
        self.more_rpcs = tuple(more_rpcs)
        self.w3, self.as_json, self.dry_run = w3, as_json, dry_run
        self._registry, self._sender = registry, sender

    @classmethod
    def connected(
        cls,
        registry: bytes | None,
        account: Any,
        as_json: bool,
        dry_run: bool,
        more_rpcs: Sequence[str] = (),
    ) -> "Session":
        """Return the session of the provider that Ape has connected.

        Raises:
            LockedAccountError: the account is a keyfile, and nobody is there to be asked for the
                passphrase, or the one in the environment is wrong.
        """
        from ape.utils.basemodel import ManagerAccessMixin

        sender = None
        if account is not None:
            if has_passphrase(account) or not (dry_run or sys.stdin.isatty()):
                unlock(account)
            sender = ApeSender(account)
        w3: Web3 = ManagerAccessMixin.provider.web3
        return cls(w3, registry, sender, as_json, dry_run, more_rpcs)

    @property
    def sender(self) -> Sender:
        """Who sends; CommandError when nobody was named."""
        if self._sender is None:
            raise CommandError("no account is named; needed: --account ALIAS (or TEST::0 locally)")
        return self._sender

    @property
    def folder(self) -> Path:
        """Where deployments are recorded."""
        return Path(os.environ.get("TALLYSTICK_DEPLOYMENTS") or deployments.FOLDER)

    @property
    def registry(self) -> Registry:
        """The core."""
        address = self._registry
        if address is None:
            address = deployments.find(self.w3.eth.chain_id, folder=self.folder).address_bytes
        if not self.w3.eth.get_code(Web3.to_checksum_address(address)):
            raise CommandError(
                f"chain {self.w3.eth.chain_id} has no contract at {checksummed(address)}; "
                "run `ape run deploy`"
            )
        return Registry(self.w3, address)

    @property
    def now(self) -> int:
        """Unix seconds; time of a block mined now."""
        return int(self.w3.eth.get_block("pending")["timestamp"])

    def block_number(self, block: int | str) -> int:
        """Return the number of a block that is named by number, or as latest, safe or finalized."""
        return int(self.w3.eth.get_block(block)["number"])  # type: ignore[arg-type]

    def ledger(self, block: int | None = None) -> Ledger:
        """Return what the events up to a block say; None: up to the latest.

        Raises:
            MissingLogsError: every node leaves out logs.
        """
        registry = self.registry
        last = self.w3.eth.block_number if block is None else block
        recorded = [
            entry.block
            for entry in deployments.read(self.w3.eth.chain_id, self.folder)
            if entry.address_bytes == registry.address
        ]
        first = min(recorded, default=0)
        others = [
            Registry(Web3(HTTPProvider(url, {"timeout": _TIMEOUT})), registry.address)
            for url in self.more_rpcs
        ]
        return read_ledger([EventSource(one) for one in (registry, *others)], first, last)

    def show(self, result: Row | list[Row]) -> None:
        """Print a result as the user wants it."""
        show(result, self.as_json)

    def perform(self, call: Call, **facts: Any) -> Sent | None:
        """Send a call and print what came of it; in a dry run only what it would cost."""
        if self.dry_run:
            gas = self.sender.simulate(call)
            self.show({"move": call.name, "dry_run": True, "gas": gas, **facts})
            return None
        sent = self.sender.send(call)
        self.show(
            {
                "move": call.name,
                "transaction": sent.tx_hash,
                "block": sent.block_number,
                "gas_used": sent.gas_used,
                **facts,
            }
        )
        return sent
