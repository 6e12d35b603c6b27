"""A command's chain: where the registry is, who sends, and what its events say."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from web3 import Web3

from tallystick.chain.cache import ChainCache
from tallystick.chain.call import Call, Errand
from tallystick.chain.clock import pending_time
from tallystick.chain.deployments import Located, locate
from tallystick.chain.fold import knows
from tallystick.chain.follower import Follower
from tallystick.chain.lanes import find_lanes, scope_of
from tallystick.chain.origin import first_block_of
from tallystick.chain.registry import Registry
from tallystick.chain.rpc.persistent import connect
from tallystick.chain.rpc.provider import url_of
from tallystick.chain.sender import Sender, Sent, SignerSender
from tallystick.cli.command import CommandError
from tallystick.cli.output import Row, plain, show
from tallystick.errors import ActionError, ContractError, PoolError
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.scope import WHOLE, Scope
from tallystick.protocol.standing import Standing

if TYPE_CHECKING:
    from tallystick.data.kept import KeptColumns

_TIMEOUT = 30.0
"""Seconds for an answer of a further node."""


class Session:
    """The chain, the account and the deployments that a command works with.

    Args:
        w3: connected.
        registry: the registry's address, 20 bytes; None: as recorded for the chain.
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
        self._address, self._sender = registry, sender
        self._followers: dict[Scope, Follower] = {}
        self._errand: bytes | None = None
        self._performed = False
        self.shown: dict[str, Any] = {}
        """What results have said so far, by name; the last one of each."""

    @property
    def sender(self) -> Sender:
        """The sender of transactions; CommandError when nobody was named."""
        if self._sender is None:
            raise CommandError(
                "no account is named; needed: --account ALIAS (TEST::0 locally), or "
                "TALLYSTICK_ACCOUNT"
            )
        return self._sender

    @sender.setter
    def sender(self, sender: Sender) -> None:
        self._sender = sender

    @property
    def signs(self) -> bool:
        """True if an account is named."""
        return self._sender is not None

    @property
    def registry(self) -> Registry:
        """The registry.

        Raises:
            DeploymentError: none is named nor recorded, or there is no contract at the address.
        """
        return self._located.registry

    @cached_property
    def _located(self) -> Located:
        return locate(self.w3, self._address)

    @property
    def now(self) -> int:
        """Unix seconds; time of a block mined now."""
        return pending_time(self.w3)

    def block_number(self, block: int | str) -> int:
        """Return the number of a block that is named by number, or as latest, safe or finalized."""
        return int(self.w3.eth.get_block(block)["number"])  # type: ignore[arg-type]

    def ledger(
        self,
        block: int | None = None,
        *,
        network_id: bytes | None = None,
        operator: bytes | None = None,
        scope: Scope | None = None,
    ) -> Ledger:
        """Return what the events up to a block say: of a lane, of a network, or of all.

        What was read before is in the cache; events since then are read.

        Args:
            block: number; None: the latest.
            network_id: 32 bytes; None: all networks.
            operator: 20 bytes, whose lane in the network it is; None: all of the network.
            scope: in place of both.

        Raises:
            MissingLogsError: every node leaves out logs.
            CacheError: the cache has another format, or fails.
        """
        if scope is None:
            scope = _scope(network_id, operator)
        follower = self._followers.get(scope)
        if follower is None:
            follower = self._followers[scope] = self._follower(scope)
        follower.advance(block)
        return follower.ledger

    @contextmanager
    def columns(self) -> "Iterator[KeptColumns]":
        """Yield the events of all networks, by columns; see data.kept for errors.

        What a fold of each event would cost grows with all that others do; this hardly does.

        Raises:
            CommandError: the connection has no URL, or is not by HTTP.
        """
        from tallystick.cli.bars import bar
        from tallystick.data.extract.dataset import ContractKey
        from tallystick.data.kept import kept_columns

        url, registry, first = url_of(self.w3), self.registry, self._located.first_block
        if not url.lower().startswith(("http://", "https://")):
            raise CommandError("all networks are read over HTTP; needed: --rpc URL")
        if first is None:
            first = first_block_of(registry, self._cache)
        contract = ContractKey(self.w3.eth.chain_id, registry.address)
        with (
            bar("events (blocks)") as progress,
            kept_columns(contract, (url, *self.more_rpcs), first, progress) as found,
        ):
            yield found

    def standing(
        self, network_id: bytes | None = None, operator: bytes | None = None, live: bool = False
    ) -> Standing:
        """Return where batches stand: those of a lane, of a network, of an operator, or all.

        Args:
            network_id: 32 bytes; None: all networks.
            operator: 20 bytes; None: anybody's.
            live: only batches that are neither final nor rejected.

        Raises:
            MissingLogsError: every node leaves out logs.
            CommandError: the network is not registered.
        """
        if network_id is None and operator is None:
            from tallystick.data.standing import standing

            with self.columns() as columns:
                return standing(columns.analysis().tables, live)
        ledger = self.ledger(network_id=network_id, operator=operator)
        if network_id is not None and network_id not in ledger.networks:
            raise CommandError(f"no network {to_hex(network_id)} is registered in this registry")
        found = ledger.live() if live else ledger.batches.values()
        return Standing(
            {key: network.rules for key, network in ledger.networks.items()},
            {one.id: one for one in sorted(found, key=lambda one: one.committed.order)},
        )

    def ledger_of(self, *batch_ids: bytes) -> Ledger:
        """Return what the events say of the lanes that batches are in; errors as of ledger."""
        registry, first_block = self._located.registry, self._located.first_block
        lanes = find_lanes(registry, batch_ids, self._cache, first_block)
        return self.ledger(scope=scope_of(lanes.values()))

    def knows(self, network_id: bytes) -> bool:
        """Return whether a network is registered, as the registry says."""
        return knows(self.registry, network_id, self.w3.eth.block_number)

    @cached_property
    def _cache(self) -> ChainCache:
        return ChainCache.of(self.w3.eth.chain_id, self.registry.address)

    def _follower(self, scope: Scope) -> Follower:
        registry, first_block = self._located.registry, self._located.first_block
        others = [Registry(connect(url, _TIMEOUT), registry.address) for url in self.more_rpcs]
        return Follower(registry, first_block, others=others, scope=scope, cache=self._cache)

    def show(self, result: Row | Sequence[Row]) -> None:
        """Print a result as the user wants it."""
        self.shown |= result if isinstance(result, Mapping) else {}
        show(result, self.as_json)

    def perform(self, call: Call, **facts: Any) -> Sent | None:
        """Send a call and print what came of it; in a dry run only what it would cost."""
        if self.dry_run:
            gas = self.sender.simulate(call)
            self.show({"move": call.name, "dry_run": True, "gas": gas, **facts})
            return None
        if self._errand is not None:
            told = json.dumps(plain({"move": call.name, **facts}))
            call = replace(call, errand=Errand(self._errand, told))
        sent = self.sender.send(call)
        self._performed = True
        self._tell(sent, {"move": call.name, **facts})
        return sent

    def is_noted(self, call: Call) -> bool:
        """Return whether an earlier run sent the call, and nobody saw what became of it."""
        return isinstance(self._sender, SignerSender) and self._sender.is_noted(call)

    def once(self, errand: bytes, work: Callable[[], Any]) -> Any:
        """Do a command's work; where it is refused for what an earlier run has done, tell of that.

        An earlier run was killed before it saw a block hold its transaction: what it wanted is so,
        and the same command fails on that. It succeeds in its place, once.

        Args:
            errand: key, 32 bytes, that runs of the same command share.
            work: sends by `perform`.
        """
        sender = self._sender
        if not isinstance(sender, SignerSender) or self.dry_run:
            return work()
        self._errand = errand
        try:
            done = work()
        except (ActionError, CommandError, ContractError, PoolError):
            found = [] if self._performed else sender.recall(errand)
            if not found:
                raise
            for one in found:
                self._tell(one.sent, json.loads(one.told))
            done = None
        sender.end(errand)
        return done

    def _tell(self, sent: Sent, facts: Row) -> None:
        self.show(
            {
                "move": facts["move"],
                "transaction": sent.tx_hash,
                "block": sent.block_number,
                "gas_used": sent.gas_used,
                **({"sent_by_an_earlier_run": True} if sent.earlier else {}),
                **{name: value for name, value in facts.items() if name != "move"},
            }
        )


def _scope(network_id: bytes | None, operator: bytes | None) -> Scope:
    if network_id is None:
        return WHOLE if operator is None else Scope(None, frozenset({operator}))
    return Scope.network(network_id) if operator is None else Scope.lane(network_id, operator)
