"""Reads that are asked again when a node fails them, and sends that are never doubled."""

import time
from collections.abc import Callable
from typing import Any

from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception
from web3.middleware import Web3Middleware

from tallystick.chain.registry import Registry
from tallystick.keccak import keccak256
from tallystick.node.settings import Common

ATTEMPTS = 6
"""Of one call; what five failures in a row hit comes again with the next look at the chain."""
FIRST_PAUSE = 0.05
"""Seconds before the second attempt; each further pause is twice as long."""
_TIMEOUT = 30.0
"""Seconds for an answer of a further node."""
_KNOWN = ("already known", "already imported", "known transaction", "nonce too low")
# Errors of a provider's own making; a revert (3) or a refused parameter comes back the same.
_TRANSIENT = {-32005, -32603, -32000, -32016, 429}


class Persistent(Web3Middleware):
    """Asks again where that can do no harm.

    A signed transaction may be sent any number of times: it has one nonce. So a send that failed
    is sent again, and when its nonce is used by then, it is looked for.
    """

    def wrap_make_request(self, make_request: Any) -> Callable[[Any, Any], Any]:
        """Return make_request, persistent."""

        def ask(method: Any, params: Any) -> Any:
            sending = method == "eth_sendRawTransaction"
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    answer = make_request(method, params)
                except (OSError, ValueError, Web3Exception):
                    if attempt == ATTEMPTS:
                        raise
                else:
                    # Be it the first answer: web3's own provider sends again when HTTP fails.
                    if sending and _is_known(answer):
                        raw = bytes.fromhex(str(params[0]).removeprefix("0x"))
                        tx_hash = "0x" + keccak256(raw).hex()
                        if ask("eth_getTransactionByHash", [tx_hash]).get("result"):
                            return {**_without_error(answer), "result": tx_hash}
                        return answer
                    if attempt == ATTEMPTS or not _is_transient(method, answer):
                        return answer
                time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
            raise AssertionError("the last attempt returns or raises")

        return ask


def persist(w3: Web3) -> Web3:
    """Have a Web3 ask again; returns it. A second time changes nothing."""
    if "persistent" not in w3.middleware_onion:
        w3.middleware_onion.inject(Persistent, "persistent", layer=0)
    return w3


def other_nodes(common: Common, registry: Registry) -> list[Registry]:
    """Return the core at the further nodes that settings name, to read events from."""
    return [
        Registry(persist(Web3(HTTPProvider(url, {"timeout": _TIMEOUT}))), registry.address)
        for url in common.more_rpc
    ]


def _is_known(answer: Any) -> bool:
    message = str((answer.get("error") or {}).get("message", "")).lower()
    return any(words in message for words in _KNOWN)


def _is_transient(method: Any, answer: Any) -> bool:
    if not isinstance(answer, dict):
        return True
    error = answer.get("error")
    if error is None:
        return False
    if not isinstance(error, dict) or error.get("data"):
        return False
    if method in ("eth_call", "eth_estimateGas") and "revert" in str(error.get("message", "")):
        return False
    return error.get("code") in _TRANSIENT


def _without_error(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "error"}
