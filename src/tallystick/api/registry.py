"""A registry: its networks and batches, and what an account has in it."""

import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallystick.actions.funding import deposit
from tallystick.actions.pool.deployment import need_deployable
from tallystick.actions.preflight import RulesWarning, preflight
from tallystick.api.batch import BatchHandle
from tallystick.api.committee import CommitteeHandle
from tallystick.api.context import Context, to_bytes
from tallystick.api.network import NetworkHandle
from tallystick.api.pool import PoolHandle
from tallystick.chain.committee import CommitteeTerms
from tallystick.chain.deploy import creation_code
from tallystick.chain.deploy import deploy as deploy_contract
from tallystick.chain.pool import PoolTerms
from tallystick.chain.receipt_status import ReceiptStatus, receipt_status
from tallystick.errors import MissingExtraError
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.ledger import Model
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.rules import Rules, network_id
from tallystick.protocol.scope import Scope

if TYPE_CHECKING:
    from tallystick.client.llm.transport import AsyncSigningTransport, Open, SigningTransport
    from tallystick.client.requester import Requester


class RegistryHandle:
    """A registry on a chain, and who acts on it; made by `tallystick.connect`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def __repr__(self) -> str:
        return f"<registry {checksummed(self.address)} on chain {self.chain_id}>"

    @property
    def address(self) -> bytes:
        """The registry's, 20 bytes."""
        return self._context.registry.address

    @property
    def chain_id(self) -> int:
        """EIP-155 id of its chain."""
        return self._context.registry.w3.eth.chain_id

    @property
    def account(self) -> bytes | None:
        """The acting account, 20 bytes; None: connected to read only."""
        actor = self._context.actor
        return None if actor is None else actor.address

    def networks(self) -> list[NetworkHandle]:
        """Return all networks, in the order of their registration."""
        found = self._context.ledger(Scope.directory()).networks
        return [NetworkHandle(self._context, one) for one in found]

    def network(self, network_id: bytes | str) -> NetworkHandle:
        """Return a network.

        Args:
            network_id: 32 bytes, or hex text.

        Raises:
            ContractError: there is none: NetworkNotFound.
        """
        found = NetworkHandle(self._context, to_bytes(network_id, 32, "network id"))
        _ = found.owner
        return found

    def create_network(
        self,
        name: str,
        rules: Rules | Mapping[str, Any],
        *,
        uri: str = "",
        salt: int = 0,
        parent: bytes | str | None = None,
    ) -> NetworkHandle:
        """Register a network that this account owns, unless it is registered already.

        What can never work under the rules, and what is weak in them, is a RulesWarning each.

        Args:
            name: what people call it; event data only.
            rules: for good; a mapping has the fields of a network's file.
            uri: where more about it is to be read; event data only.
            salt: 0 to 2^256 - 1; tells apart networks of one owner with equal rules.
            parent: id of the network that this one follows.

        Raises:
            RulesError: the registry would refuse the rules.
        """
        if not isinstance(rules, Rules):
            rules = Rules.from_mapping(rules)
        rules.check()
        registry, owner = self._context.registry, self._context.sender.address
        salted = salt.to_bytes(32, "big")
        found = NetworkHandle(
            self._context, network_id(self.chain_id, self.address, owner, salted, rules)
        )
        if not found.exists():
            for finding in preflight(registry, rules):
                word = "can never work: " if finding.never_works else ""
                warnings.warn(f"{word}{finding}", RulesWarning, stacklevel=2)
            after = ZERO32 if parent is None else to_bytes(parent, 32, "parent")
            self._context.send(
                registry.call("registerNetwork", salted, rules.abi(), after, name, uri)
            )
        return found

    def batch(self, batch_id: bytes | str) -> BatchHandle:
        """Return a batch; ActionError if no event names it.

        Args:
            batch_id: 32 bytes, or hex text.
        """
        key = to_bytes(batch_id, 32, "batch id")
        return BatchHandle(self._context, self._context.view(key).batch(key).batch)

    def check(self, receipt: Receipt) -> ReceiptStatus:
        """Check a receipt offline and against the chain, and return how its batch stands.

        Raises:
            ReceiptError: a part of it fails, it is of another registry, or no batch is there.
        """
        lane = receipt.batch.network_id, receipt.batch.operator
        return receipt_status(self._context.registry, lambda: self._context.lane(*lane), receipt)

    def credit(self, account: bytes | str | None = None, asset: bytes = ZERO_ADDRESS) -> int:
        """Return an account's credit, in units of the asset.

        Args:
            account: 20 bytes, or hex text; None: who acts.
            asset: 20 bytes; zero: the native coin.
        """
        whose = (
            self._context.sender.address if account is None else to_bytes(account, 20, "account")
        )
        return self._context.registry.credit(asset, whose)

    def deposit(self, amount: int, asset: bytes = ZERO_ADDRESS) -> None:
        """Add to this account's credit, from which stakes and bonds are paid.

        Args:
            amount: in units of the asset.
            asset: 20 bytes; zero: the native coin. A token is approved first where needed.
        """
        registry, sender = self._context.registry, self._context.sender
        for call in deposit(registry, sender.address, asset, amount):
            self._context.send(call)

    def withdraw(
        self, amount: int, to: bytes | str | None = None, asset: bytes = ZERO_ADDRESS
    ) -> None:
        """Pay out of this account's credit.

        Args:
            amount: in units of the asset.
            to: who is paid, 20 bytes or hex text; None: this account.
            asset: 20 bytes; zero: the native coin.
        """
        paid = self._context.sender.address if to is None else to_bytes(to, 20, "to")
        self._context.send(self._context.registry.call("withdraw", asset, paid, amount))

    def committee(self, address: bytes | str) -> CommitteeHandle:
        """Return a deployed committee; CommitteeError if there is no contract.

        Args:
            address: 20 bytes, or hex text.
        """
        return CommitteeHandle(self._context, to_bytes(address, 20, "committee"))

    def deploy_committee(
        self, terms: CommitteeTerms, members: Sequence[tuple[bytes, bytes]]
    ) -> CommitteeHandle:
        """Deploy a committee for this registry's networks, unless it is there already.

        Args:
            terms: for good; see CommitteeTerms.
            members: account and key of each, by place; an account that signs itself is its key.

        Raises:
            ContractError: the committee would refuse terms or members.
        """
        code = creation_code("Committee", self.address, terms.abi(), list(members))
        address, _ = deploy_contract(self._context.registry.w3, self._context.sender, code)
        return CommitteeHandle(self._context, address)

    def pool(self, address: bytes | str) -> PoolHandle:
        """Return a deployed pool; PoolError if there is no contract.

        Args:
            address: 20 bytes, or hex text.
        """
        return PoolHandle(self._context, to_bytes(address, 20, "pool"))

    def deploy_pool(self, terms: PoolTerms) -> PoolHandle:
        """Deploy a pool for this registry's networks, unless it is there already.

        Args:
            terms: for good; see PoolTerms.

        Raises:
            FieldError: a term is out of its range.
            DeployError: the chain has no history contract, or none is at an address in the terms.
        """
        registry = self._context.registry
        need_deployable(registry.w3, terms)
        code = creation_code("Pool", self.address, terms.abi())
        address, _ = deploy_contract(registry.w3, self._context.sender, code)
        return PoolHandle(self._context, address)

    def llm_transport(
        self,
        model: Model | bytes | str,
        operators: Sequence[str],
        *,
        answers: str | Path = "answers",
        within: int | None = None,
        wait: float = 0,
    ) -> "SigningTransport":
        """Return a transport of httpx that asks a language model, as this account.

        `openai.OpenAI(http_client=httpx.Client(transport=...), ...)` signs each body with it, and
        gets checked answers; hosts and keys of its requests have no effect.

        Args:
            model: that is to answer, or its id.
            operators: URLs of nodes, in the order in which they are asked.
            answers: folder of kept answers with their receipts, and of the book of requests.
            within: seconds in which answers must be committed; None: as each operator can.
            wait: seconds for which an answer that is no stream is held back until its receipt is
                there; only then can it have the header X-Tallystick-Verified.

        Raises:
            MissingExtraError: httpx is not installed.
            ReadOnlyError: nobody is named who could sign.
        """
        _need_httpx()
        from tallystick.client.llm.transport import SigningTransport

        return SigningTransport(self._asking(model, operators, Path(answers), within), wait)

    def async_llm_transport(
        self,
        model: Model | bytes | str,
        operators: Sequence[str],
        *,
        answers: str | Path = "answers",
        within: int | None = None,
        wait: float = 0,
    ) -> "AsyncSigningTransport":
        """Return the same for httpx.AsyncClient; arguments and errors as of llm_transport."""
        _need_httpx()
        from tallystick.client.llm.transport import AsyncSigningTransport

        return AsyncSigningTransport(self._asking(model, operators, Path(answers), within), wait)

    def _asking(
        self,
        model: Model | bytes | str,
        operators: Sequence[str],
        folder: Path,
        within: int | None,
    ) -> "Open":
        from tallystick.client.llm.asking import Asker
        from tallystick.client.llm.receipts import ReceiptCollector

        context, sender = self._context, self._context.sender
        model_id = to_bytes(model.id if isinstance(model, Model) else model, 32, "model")

        def opened() -> tuple[Asker, ReceiptCollector]:
            asker = Asker(context.registry, sender, model_id, operators, folder, within)
            collector = ReceiptCollector(
                context.registry,
                context.lane,
                asker.book,
                asker.answers,
            )
            return asker, collector

        return opened

    def requester(self, url: str, timeout: float = 30.0) -> "Requester":
        """Return a client of an operator's node, whose requests this account signs.

        Args:
            url: of the node.
            timeout: seconds for an answer.

        Raises:
            MissingExtraError: httpx is not installed.
        """
        from tallystick.client.requester import Requester

        context = self._context
        return Requester(url, context.registry, context.sender, context.lane, timeout)


def _need_httpx() -> None:
    if find_spec("httpx") is None:
        raise MissingExtraError("httpx", "client")
