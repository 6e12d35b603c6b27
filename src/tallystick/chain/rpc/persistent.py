"""Questions that are asked again when a node fails them, and sends that are never doubled.

How long depends on what the node says: one that limits rates is left alone for as long as it asks;
one that refuses for good is asked once. What a node answers in shapes of its own is put into those
of JSON-RPC, so that whoever asks sees one kind of refusal and one kind of revert.
"""

import copy
import time
from collections.abc import Callable, Mapping
from json import JSONDecodeError
from typing import Any

import requests
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware, Web3Middleware

from tallystick.chain.revert import revert_data
from tallystick.chain.rpc.errors import (
    BusyError,
    RangeError,
    RpcError,
    UnavailableError,
)
from tallystick.chain.rpc.own_writes import OwnWrites
from tallystick.chain.rpc.provider import http_provider, name_of, provider_of, rpc_error
from tallystick.chain.rpc.refusals import answer_refusal
from tallystick.chain.rpc.url import RpcUrl
from tallystick.chain.send_refusal import SendRefusal, send_refusal
from tallystick.errors import TallystickError
from tallystick.protocol.keccak import keccak256

ATTEMPTS = 6
"""Of one call that fails without a reason to wait."""
_ATTEMPTS_OF_RANGE = 3
"""Of eth_getLogs over several blocks: fewer blocks may do."""
_ATTEMPTS_OF_PENDING = 2
FIRST_PAUSE = 0.05
"""Seconds before the second attempt; each further pause is twice as long."""
BUSY_PAUSE = 0.5
"""Seconds before the second attempt at a node that limits rates and names no time."""
PATIENCE = 60.0
"""Seconds that a command waits in all for a node that limits rates, or is behind its own block."""
NODE_PATIENCE = 6.0
"""The same for a node's process, which comes again by itself."""
_LONGEST_PAUSE = 8.0
_LOGS, _SEND, _CALLS = "eth_getLogs", "eth_sendRawTransaction", ("eth_call", "eth_estimateGas")
_NEVER_NULL = {
    *_CALLS,
    _LOGS,
    "eth_blockNumber",
    "eth_chainId",
    "eth_gasPrice",
    "eth_getBalance",
    "eth_getCode",
    "eth_getStorageAt",
    "eth_getTransactionCount",
    "eth_maxPriorityFeePerGas",
}
_NO_SUCH_METHOD = -32601


class NodeRefusedError(TallystickError, Web3RPCError):
    """A node refused a question, in words; `told` says of which kind that is."""

    def __init__(self, name: str, told: RpcError, answer: Any) -> None:
        self.told = told
        super().__init__(_said(name, told), rpc_response=answer)

    def __str__(self) -> str:
        return str(self.message)


class NodeFailedError(TallystickError, OSError):
    """A node did not answer, or asks to be left alone; `told` says of which kind that is."""

    def __init__(self, name: str, told: RpcError) -> None:
        self.told = told
        super().__init__(_said(name, told))


class Persistent(Web3Middleware):
    """Asks again where that can do no harm.

    A signed transaction may be sent any number of times: it has one nonce. So a send that failed
    is sent again, and when its nonce is used by then, it is looked for.

    Raises:
        NodeRefusedError: the node refuses, and no contract does.
        NodeFailedError: the node does not answer, not even later.
    """

    patience = PATIENCE
    """Seconds."""
    follows_own_writes = True

    def wrap_make_request(self, make_request: Any) -> Callable[[Any, Any], Any]:
        """Return make_request, persistent."""
        own = OwnWrites() if self.follows_own_writes else None
        name = name_of(self._w3)

        def ask(method: Any, params: Any) -> Any:
            attempt, end = 0, time.monotonic() + self.patience
            while True:
                attempt += 1
                answer, told = _once(make_request, method, params)
                if own is not None:
                    told = (
                        own.missing(method, params, answer)
                        if told is None
                        else own.awaited(params, told)
                    )
                if told is None:
                    return answer
                if method == _SEND and answer is not None and _is_known(str(told)):
                    # Be it the first answer: a gateway may have sent it before.
                    raw = bytes.fromhex(str(params[0]).removeprefix("0x"))
                    tx_hash = "0x" + keccak256(raw).hex()
                    if ask("eth_getTransactionByHash", [tx_hash]).get("result"):
                        return {"jsonrpc": "2.0", "id": 1, "result": tx_hash}
                refused = method == _SEND and send_refusal(str(told)) is not None
                pause = None if refused else _pause(told, attempt, _attempts(method, params), end)
                if pause is None and own is not None and own.give_up(told):
                    return answer
                if pause is None:
                    raise _failure(name, told, answer)
                time.sleep(pause)

        return ask


class NodePersistent(Persistent):
    """The same for a node's process: it comes again by itself, and follows reorganisations."""

    patience = NODE_PATIENCE
    follows_own_writes = False


def persist(w3: Web3, kind: type[Persistent] = Persistent) -> Web3:
    """Have a Web3 ask again; returns it. A second time changes nothing."""
    if "persistent" not in w3.middleware_onion:
        w3.middleware_onion.inject(kind, "persistent", layer=0)
    return w3


def connect(url: str | RpcUrl, timeout: float, kind: type[Persistent] = Persistent) -> Web3:
    """Return a connection to a node, persistent; nothing is asked yet.

    Args:
        url: of its JSON-RPC.
        timeout: seconds for an answer.
        kind: how long it is asked again.

    Raises:
        FieldError: the URL is none of HTTP.
    """
    provider = http_provider(url, timeout)
    # web3 would ask five times more, without a look at what the node says.
    provider.exception_retry_configuration = None  # type: ignore[assignment]
    w3 = Web3(provider)
    # Blocks of clique chains and of some rollups have longer extra data than web3 takes.
    w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    return persist(w3, kind)


def taken_over(w3: Web3) -> Web3:
    """Return a persistent connection to the node of another one, which stays as it is.

    Args:
        w3: connected, by Ape or by whoever uses this package.
    """
    provider = provider_of(w3)
    if isinstance(provider, HTTPProvider):
        # With the same session and headers, whatever they are.
        provider = copy.copy(provider)
        provider.exception_retry_configuration = None  # type: ignore[assignment]
        provider._request_func_cache = (None, None)  # type: ignore[assignment]
    found = Web3(provider, middleware=list(w3.middleware_onion))
    if provider is not w3.provider and ExtraDataToPOAMiddleware not in found.middleware_onion:
        found.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    return persist(found)


def _once(make_request: Any, method: Any, params: Any) -> tuple[Any, RpcError | None]:
    """Return an answer, and why it is none; no answer where nothing came."""
    try:
        answer = make_request(method, params)
    except requests.HTTPError as error:
        answer = _json(error.response)
        if not _reverts(method, answer):
            return answer, rpc_error(error)
    except JSONDecodeError as error:
        said = " ".join(str(error.doc)[:100].split())
        return None, UnavailableError(f"it answers with something else, which begins {said!r}")
    except (OSError, ValueError, Web3Exception, RpcError) as error:
        return None, rpc_error(error)
    if _reverts(method, answer):
        return {"jsonrpc": "2.0", "id": 1, "error": _revert(answer["error"])}, None
    told = answer_refusal(answer)
    if isinstance(told, RangeError) and method != _LOGS:
        # Nothing else is ever too much: the words mean something else.
        told = UnavailableError(str(told))
    if told is None and answer["result"] is None and method in _NEVER_NULL:
        told = UnavailableError(f"the node answers {method} with null")
    if told is None:
        return {"jsonrpc": "2.0", "id": 1, "result": answer["result"]}, None
    refused = answer.get("error") if isinstance(answer, Mapping) else None
    if isinstance(refused, Mapping) and refused.get("code") == _NO_SUCH_METHOD:
        # web3 has other methods for some.
        return {"jsonrpc": "2.0", "id": 1, "error": dict(refused)}, None
    return answer, told


def _reverts(method: Any, answer: Any) -> bool:
    """Return whether a contract refuses, and not the node."""
    if method not in _CALLS or not isinstance(answer, Mapping) or not answer.get("error"):
        return False
    error = answer["error"]
    code = error.get("code") if isinstance(error, Mapping) else None
    return code == 3 or "revert" in str(error).lower() or revert_data(error) is not None


def _revert(error: Any) -> dict[str, Any]:
    """Return a contract's refusal as web3 reads it, in whatever shape a node tells of it."""
    data = revert_data(error)
    if data is not None:
        return {"code": 3, "message": "execution reverted", "data": "0x" + data.hex()}
    return dict(error) if isinstance(error, Mapping) else {"code": 3, "message": str(error)}


def _json(response: Any) -> Any:
    try:
        return response.json()
    except (ValueError, AttributeError):
        return None


def _attempts(method: Any, params: Any) -> int:
    if method == _LOGS and params[0].get("fromBlock") != params[0].get("toBlock"):
        return _ATTEMPTS_OF_RANGE
    # Whoever asks for what is pending does without where a node has no such thing.
    return _ATTEMPTS_OF_PENDING if "pending" in params else ATTEMPTS


def _pause(told: RpcError, attempt: int, attempts: int, end: float) -> float | None:
    """Return the seconds until it is asked again; None: it is not."""
    if not isinstance(told, UnavailableError):
        return None
    waits = isinstance(told, BusyError) or told.retry_after is not None
    if not waits:
        return FIRST_PAUSE * 2.0 ** (attempt - 1) if attempt < attempts else None
    pause = min(_LONGEST_PAUSE, BUSY_PAUSE * 2.0 ** (attempt - 1))
    if told.retry_after:
        pause = max(told.retry_after, 0.1)
    return pause if time.monotonic() + pause < end else None


def _failure(name: str, told: RpcError, answer: Any) -> Exception:
    # What says nothing of the question is no answer to it.
    if isinstance(answer, Mapping) and not isinstance(told, BusyError):
        return NodeRefusedError(name, told, answer)
    return NodeFailedError(name, told)


def _said(name: str, told: RpcError) -> str:
    text = str(told)
    known = text.startswith("the node ")
    return name + text.removeprefix("the node") if known else f"{name}: {text}"


def _is_known(words: str) -> bool:
    return send_refusal(words) in (SendRefusal.KNOWN, SendRefusal.NONCE_USED)
