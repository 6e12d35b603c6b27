"""Blocks and receipts that a connection has seen: later answers have to know of them.

Behind one URL there may be a pool of nodes of which some are a block behind. Their answers are not
wrong, only early, and say nothing of it: a lower head, or no logs where there are some.
"""

import re
from collections.abc import Mapping
from typing import Any

from tallystick.chain.rpc.errors import BehindError, RpcError

_PAUSE = 0.5
"""Seconds until a node that is behind is asked again."""
_LONGEST_NUMBER = 18
"""Characters of a block's number, as hex text; a hash has more."""
_NEAR = 64
"""Blocks below the head for which a node is waited; what it lacks further below, it has dropped."""
_KEPT = 64
"""Receipts whose logs are looked for."""


class OwnWritesError(BehindError):
    """A node does not have the block yet that its pool has told of."""


class OwnWrites:
    """Receipts that were seen; not for a connection that outlives reorganisations."""

    def __init__(self) -> None:
        self._height = self._head = 0
        self._receipts: dict[str, Mapping[str, Any]] = {}

    def missing(self, method: str, params: Any, answer: Any) -> BehindError | None:
        """Return that an answer does not know of what was seen; None: it may.

        Args:
            method: that was asked.
            params: of it, as JSON.
            answer: with a result, or a contract's refusal.
        """
        result = answer.get("result")
        if method == "eth_getTransactionReceipt":
            self._note(result)
        elif lacks := self._lacks(method, params, result):
            return OwnWritesError(f"{lacks}; block {self._head} was seen", _PAUSE)
        elif method == "eth_blockNumber":
            self._head = max(self._head, int(result, 16))
        return None

    def awaited(self, params: Any, told: RpcError) -> RpcError:
        """Return a refusal as one to wait for, where a node lacks a block that was seen."""
        if not isinstance(told, BehindError) or told.retry_after is not None:
            return told
        named = [one for one in params if isinstance(one, str) and one.startswith("0x")]
        named += [str(one.get("toBlock")) for one in params if isinstance(one, Mapping)]
        short = [one for one in named if len(one) <= _LONGEST_NUMBER]
        numbers = [int(one, 16) for one in short if re.fullmatch("0x[0-9a-f]+", one)]
        awaited = numbers and self._may_come(max(numbers))
        return BehindError(str(told), _PAUSE) if awaited else told

    def give_up(self, told: Exception) -> bool:
        """Return whether an answer is to be taken as it is, as nothing better came in time."""
        if not isinstance(told, OwnWritesError):
            return False
        self._height = self._head = 0
        self._receipts.clear()
        return True

    def _note(self, receipt: Any) -> None:
        if not isinstance(receipt, Mapping) or receipt.get("blockNumber") is None:
            return
        self._height = max(self._height, int(receipt["blockNumber"], 16))
        self._head = max(self._head, self._height)
        self._receipts[str(receipt["transactionHash"])] = receipt
        while len(self._receipts) > _KEPT:
            self._receipts.pop(next(iter(self._receipts)))

    def _lacks(self, method: str, params: Any, result: Any) -> str | None:
        if method == "eth_blockNumber" and int(result, 16) < self._height:
            return f"the node is behind, at block {int(result, 16)}"
        if method == "eth_getBlockByNumber":
            return self._lacks_block(params[0], result)
        if method == "eth_getLogs" and isinstance(result, list):
            there = {(log["transactionHash"], int(log["logIndex"], 16)) for log in result}
            for receipt in self._receipts.values():
                for log in receipt.get("logs", ()):
                    place = log["transactionHash"], int(log["logIndex"], 16)
                    if _matches(log, params[0]) and place not in there:
                        return f"the node gives no logs of block {int(log['blockNumber'], 16)}"
        return None

    def _lacks_block(self, block: Any, result: Any) -> str | None:
        if block in ("latest", "pending") and isinstance(result, Mapping):
            number = int(result["number"], 16) if result.get("number") else self._height
            return f"the node is behind, at block {number}" if number < self._height else None
        if result is None and str(block).startswith("0x") and self._may_come(int(block, 16)):
            return f"the node has no block {int(block, 16)}"
        return None

    def _may_come(self, block: int) -> bool:
        """Return whether a block was seen that a node which is a little behind may lack."""
        return self._head - _NEAR < block <= self._head


def _matches(log: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Return whether a query of eth_getLogs asks for a log."""
    first, last = query.get("fromBlock", "latest"), query.get("toBlock", "latest")
    number = int(log["blockNumber"], 16)
    if not str(first).startswith("0x") or not str(last).startswith("0x"):
        return False
    if not int(first, 16) <= number <= int(last, 16):
        return False
    addresses = _choices(query.get("address"))
    if addresses is not None and str(log["address"]).lower() not in addresses:
        return False
    wanted = query.get("topics") or []
    found = [str(topic).lower() for topic in log["topics"]]
    return len(found) >= len(wanted) and all(
        (choices := _choices(one)) is None or topic in choices
        for topic, one in zip(found, wanted, strict=False)
    )


def _choices(wanted: Any) -> set[str] | None:
    if wanted is None:
        return None
    return {str(one).lower() for one in (wanted if isinstance(wanted, list) else [wanted])}
