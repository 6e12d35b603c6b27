"""Ape's networks and accounts, by their names; needs the extra `ape`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ape
from ape.exceptions import ApeException
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.rpc.persistent import taken_over
from tallystick.errors import TallystickError

_TEST = "TEST::"
_PAUSES = (0.2, 0.6)
"""Seconds between attempts to connect."""


class UnknownAccountError(TallystickError, LookupError):
    """Ape has no account of this alias."""


@contextmanager
def connected(network: str) -> Iterator[Web3]:
    """Yield the connection of Ape's provider of a network, which starts a chain if it is told to.

    Args:
        network: ecosystem:network, with a provider or a URL behind it; or a URL.

    Raises:
        ApeException: Ape knows no such network, or the node does not answer.
    """
    if network.startswith(("http://", "https://")):
        network = f"ethereum:custom:{network}"
    choice = ape.networks.parse_network_choice(network)
    provider = _entered(choice)
    try:
        yield taken_over(provider.web3)
    finally:
        choice.__exit__(None, None, None)


def _entered(choice: Any) -> Any:
    """Return the provider of a choice, connected; tried again, as Ape does not."""
    for pause in _PAUSES:
        try:
            return choice.__enter__()
        except (ApeException, Web3Exception, OSError):
            time.sleep(pause)
    return choice.__enter__()


def load_account(alias: str) -> Any:
    """Return an account of Ape, or one of its test accounts: TEST::0; UnknownAccountError."""
    accounts: Any = ape.accounts
    if alias.upper().startswith(_TEST):
        place = alias[len(_TEST) :]
        if place.isdecimal() and int(place) < len(accounts.test_accounts):
            return accounts.test_accounts[int(place)]
    elif alias in accounts.aliases:
        return accounts.load(alias)
    raise UnknownAccountError(f"Ape has no account {alias}; `ape accounts list` shows what it has")
