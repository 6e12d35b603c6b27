"""The registry as nodes' settings name it, at one node or several."""

from web3 import Web3

from tallystick.chain import deployments
from tallystick.chain.registry import Registry
from tallystick.chain.rpc.persistent import NodePersistent, connect
from tallystick.node.errors import SettingsError
from tallystick.node.settings import Common

_TIMEOUT = 30.0
"""Seconds for an answer of a further node."""


def locate(w3: Web3, common: Common) -> tuple[Registry, int | None]:
    """Return the registry that settings name, or that is recorded, and its first block if known.

    Raises:
        SettingsError: it is nowhere named, or not there.
    """
    try:
        found = deployments.locate(w3, common.registry, common.first_block)
    except deployments.DeploymentError as error:
        raise SettingsError(f"common.registry: {error}") from error
    return found.registry, found.first_block


def other_nodes(common: Common, registry: Registry) -> list[Registry]:
    """Return the registry at the further nodes that settings name, to read events from."""
    return [
        Registry(connect(url, _TIMEOUT, NodePersistent), registry.address)
        for url in common.more_rpc
    ]
