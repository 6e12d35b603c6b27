"""Ape's part of a process: its connection, and the account that signs."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ape.exceptions import ApeException
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.ape_signer import ApeSigner
from tallystick.chain.keyfile import unlock
from tallystick.chain.rpc.persistent import NodePersistent, connect, persist
from tallystick.chain.signer import Signer
from tallystick.node.errors import SettingsError
from tallystick.node.log import get_log
from tallystick.node.settings import Common
from tallystick.protocol.hexes import checksummed

ATTEMPTS = 14
"""To connect; a node that fails one call in five fails one connection in two."""
LONGEST_PAUSE = 0.4
"""Seconds between two attempts."""
TIMEOUT = 10.0
"""Seconds for one call."""

_LOG = get_log("connection")


T = TypeVar("T")


def patiently(work: Callable[[], T]) -> T:
    """Return what work on Ape's connection returns, begun anew when the node fails it.

    Ape connects without asking again, and its errors about that have no common base.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return work()
        except (ApeException, Web3Exception, OSError, ValueError) as error:
            _LOG.warning("Ape cannot connect; tried again", reason=" ".join(str(error).split()))
            time.sleep(min(0.2 * attempt, LONGEST_PAUSE))
    return work()


@dataclass(frozen=True, slots=True)
class Connection:
    """Ape, connected."""

    choice: str
    """The network as Ape's --network names it."""
    provider: Any
    """Of Ape."""
    w3: Web3
    """To the same node, asking again what it fails."""

    @classmethod
    def open(cls, common: Common) -> "Connection":
        """Connect for as long as the process lives; libraries speak from warnings on.

        Raises:
            ApeException: the node cannot be reached, or Ape does not know the network.
        """
        import ape

        _quiet()
        choice = f"{common.network}:{common.rpc}" if common.rpc else common.network
        provider = patiently(lambda: ape.networks.parse_network_choice(choice).__enter__())
        persist(provider.web3, NodePersistent)
        url = common.rpc or provider.http_uri
        w3 = connect(url, TIMEOUT, NodePersistent)
        return cls(choice, provider, w3)

    @property
    def blocks(self) -> Any:
        """The chain's blocks, as Silverback takes them."""
        import ape

        return ape.chain.blocks

    def instance(self, address: bytes, abi: Any) -> Any:
        """Return a contract, as Silverback takes it."""
        import ape

        return ape.chain.contracts.instance_at(
            checksummed(address), abi=abi, detect_proxy=False, fetch_from_explorer=False
        )

    def signer(self, alias: str) -> Signer:
        """Return who signs transactions to be sent later; see account for errors."""
        return ApeSigner(self.account(alias))

    def account(self, alias: str) -> Any:
        """Return an account of Ape by its alias, or a test account as TEST::0.

        A keyfile is unlocked by the passphrase in APE_ACCOUNTS_<alias>_PASSPHRASE.

        Raises:
            SettingsError: there is no such account.
            LockedAccountError: the passphrase is missing or wrong.
        """
        import ape

        if not alias:
            raise SettingsError("common.account names no account; needed: one of `ape accounts`")
        try:
            if alias.startswith("TEST::"):
                account = ape.accounts.test_accounts[int(alias.removeprefix("TEST::"))]
            else:
                account = ape.accounts.load(alias)
        except (ApeException, OSError, ValueError, KeyError, IndexError) as error:
            raise SettingsError(f"common.account: {error}") from error
        unlock(account)
        return account


def _quiet() -> None:
    """Have Ape and Silverback speak as other libraries do: from warning on, and by one voice."""
    from ape.logging import logger

    logger.set_level("WARNING")
    logging.getLogger("ape").handlers.clear()
    for name in ("httpx", "web3", "taskiq"):
        logging.getLogger(name).setLevel(logging.WARNING)
