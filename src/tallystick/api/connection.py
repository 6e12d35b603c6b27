"""Connect to a registry, or deploy one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eth_account import Account
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.actions.sent import SentJournal
from tallystick.api.context import Context, to_bytes
from tallystick.api.registry import RegistryHandle
from tallystick.chain import deployments
from tallystick.chain.deploy import create2_address, creation_code, is_deployed
from tallystick.chain.deploy import deploy as deploy_contract
from tallystick.chain.registry import Registry
from tallystick.chain.rpc.errors import RpcError
from tallystick.chain.rpc.persistent import connect as connect_to
from tallystick.chain.rpc.persistent import taken_over
from tallystick.chain.rpc.provider import rpc_error
from tallystick.chain.rpc.url import place_of
from tallystick.chain.sender import Sender, SignerSender, Web3Sender
from tallystick.chain.signer import Account as Signer
from tallystick.errors import FieldError, NoContractError, UnreachableError
from tallystick.protocol.hexes import checksummed
from tallystick.storage.batch_store import BatchStore

if TYPE_CHECKING:
    from ape.api import AccountAPI

_TIMEOUT = 30.0
"""Seconds for an answer of a node."""


def connect(
    url: "str | Web3 | None" = None,
    *,
    key: bytes | str | None = None,
    account: "AccountAPI | None" = None,
    signer: Signer | None = None,
    registry: bytes | str | None = None,
    store: str = "batches",
    receipts: str | Path = "receipts",
    more_rpcs: Sequence[str] = (),
) -> RegistryHandle:
    """Connect to a registry: to read, and with a key, an account or a signer to act.

    Args:
        url: of a node's JSON-RPC, or a connected Web3; None: as Ape is connected.
        key: 32-byte secret key, as bytes or hex text.
        account: of `ape.accounts`, loaded.
        signer: any account of eth-account, or whatever has its address, sign_transaction and
            sign_message.
        registry: address, 20 bytes or hex text; None: as recorded (see chain.deployments), else
            where `deploy` puts it on every chain.
        store: folder or URL of batch data, as fsspec knows it.
        receipts: folder of receipts and of the journal of what was submitted.
        more_rpcs: URLs of nodes to read events from where the first leaves some out.

    Raises:
        UnreachableError: no node answers at the URL.
        NoContractError: the chain has no registry there.
        FieldError: URL, key or address are malformed, or more than one of key, account, signer is
            given.
    """
    w3 = _web3(url)
    chain_id = _chain_id(w3)
    found, first_block = _locate(chain_id, registry)
    if not is_deployed(w3, found):
        raise NoContractError(
            f"chain {chain_id} has no registry at {checksummed(found)}; "
            "needed: registry=ADDRESS, or tallystick.deploy"
        )
    actor = _sender(w3, key, account, signer)
    return _handle(w3, found, first_block, actor, store, receipts, more_rpcs)


def deploy(
    url: "str | Web3 | None" = None,
    *,
    key: bytes | str | None = None,
    account: "AccountAPI | None" = None,
    signer: Signer | None = None,
    store: str = "batches",
    receipts: str | Path = "receipts",
) -> RegistryHandle:
    """Deploy the registry unless it is there, at the same address on each chain, and connect to it.

    Args:
        url, key, account, signer, store, receipts: see connect.

    Raises:
        UnreachableError: no node answers at the URL.
        FieldError: not exactly one of key, account and signer is given.
        DeployError: this chain does not take the deterministic deployer.
    """
    w3 = _web3(url)
    _chain_id(w3)
    actor = _sender(w3, key, account, signer)
    if actor is None:
        raise FieldError("who deploys", "not given", "key, account or signer")
    address, sent = deploy_contract(w3, actor, creation_code("Tallystick"))
    first_block = 0 if sent is None else sent.block_number
    return _handle(w3, address, first_block, actor, store, receipts, ())


def _handle(
    w3: Web3,
    address: bytes,
    first_block: int,
    actor: Sender | None,
    store: str,
    receipts: str | Path,
    more_rpcs: Sequence[str],
) -> RegistryHandle:
    others = tuple(Registry(_web3(url), address) for url in more_rpcs)
    here = Registry(w3, address)
    return RegistryHandle(
        Context(here, actor, first_block, others, BatchStore(store), Path(receipts))
    )


def _web3(url: "str | Web3 | None") -> Web3:
    if isinstance(url, Web3):
        return taken_over(url)
    if url is not None:
        return connect_to(url, _TIMEOUT)
    from ape.utils.basemodel import ManagerAccessMixin

    found: Web3 = ManagerAccessMixin.provider.web3
    return taken_over(found)


def _chain_id(w3: Web3) -> int:
    try:
        return w3.eth.chain_id
    except (OSError, ValueError, RpcError, Web3Exception) as error:
        url = getattr(w3.provider, "endpoint_uri", None)
        where = place_of(str(url)) if url else "the provider"
        raise UnreachableError(f"no node answers at {where}: {rpc_error(error)}") from error


def _locate(chain_id: int, given: bytes | str | None) -> tuple[bytes, int]:
    """Return the registry's address, and a block before which it has no events."""
    recorded = deployments.read(chain_id)
    if given is not None:
        address = to_bytes(given, 20, "registry")
    else:
        named = [one.address_bytes for one in recorded if one.name == "Tallystick"]
        address = named[-1] if named else create2_address(creation_code("Tallystick"))
    blocks = [one.block for one in recorded if one.address_bytes == address]
    return address, min(blocks, default=0)


def _sender(
    w3: Web3, key: bytes | str | None, account: Any, signer: Signer | None
) -> Sender | None:
    named = {"key": key, "account": account, "signer": signer}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise FieldError("who signs", " and ".join(given), "one of them")
    if account is not None:
        from tallystick.chain.ape_signer import ApeSigner

        return SignerSender(w3, ApeSigner(account), SentJournal())
    if key is not None:
        signer = _account(key)
        if signer is None:
            # Raised here, and not where it fails: what is told there may hold a part of the key.
            raise FieldError("key", "malformed", "32 bytes of a secret key, or hex text of them")
    return None if signer is None else Web3Sender(w3, signer, SentJournal())


def _account(key: bytes | str) -> Signer | None:
    """Return the account of a secret key; None where it is none."""
    try:
        found: Signer = Account.from_key(to_bytes(key, 32, "key"))
    except ValueError:
        return None
    return found
