"""What nodes mean when they refuse eth_getLogs, in the words of the providers there are.

The JSON-RPC code does not tell: -32005 is Infura's for too many results and for too many requests.
"""

import re
from typing import Any

from tallystick.extract.errors import RangeError, RpcError, UnavailableError

_FINAL = re.compile(r"api.?key|authenticat|unauthori[sz]ed", re.IGNORECASE)
_RATE = re.compile(
    r"too many requests?\b|rate.?limit|request (limit|count|rate)|requests? per|throughput"
    r"|compute units|capacity|quota|credits|back ?off|slow down|-32097",
    re.IGNORECASE,
)
_BEYOND = re.compile(
    r"after last accepted|beyond (the )?(current )?head|header not found|unknown block"
    r"|block ?out ?of ?range|block height is",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"more than \d[\d,]* (results|logs)|too many (results|logs|blocks|events)|block range"
    r"|range (is )?too|response (size|body|is) .*(exceed|large|big)|response (is )?too (big|large)"
    r"|size (limit )?exceed"
    r"|exceeds? .*(limit|max|range|results|logs)|max(imum)? .*(range|results|blocks|logs)"
    r"|(query|request) (timeout|timed out|exceeds)|gateway time-?out"
    r"|limited to|up to a \d+ block|too (large|wide|big)"
    r"|ranges over \d|bigger than|^limit exceeded$"
    r"|content (length|size)|result (set )?(is )?too|payload too",
    re.IGNORECASE,
)
_BUSY = re.compile(
    r"time(d)? ?out|timeout|internal|unavailable|overload|busy|try again|retry|temporar"
    r"|not available|no backends|missing trie node"
    r"|bad gateway|connection|upstream",
    re.IGNORECASE,
)
_BUSY_CODES = {-32603, -32000, -32001, -32002}


_NO_SUCH_METHOD = -32601


def refusal(code: int, message: str, data: Any = None) -> RpcError:
    """Return the exception for a JSON-RPC error.

    >>> type(refusal(-32005, "query returned more than 10000 results")).__name__
    'RangeError'
    >>> type(refusal(-32005, "daily request count exceeded, request rate limited")).__name__
    'UnavailableError'
    >>> type(refusal(-32601, "the method eth_getLogs does not exist")).__name__
    'RpcError'
    """
    # Tenderly's message is "invalid params"; the reason is in the data.
    said = message if data is None else f"{message}: {str(data)[:200]}"
    text = f"the node refuses: {said} (code {code})"
    if code == _NO_SUCH_METHOD:
        return RpcError(text)
    return (_kind(said) or (UnavailableError if code in _BUSY_CODES else RpcError))(text)


def http_refusal(status: int, text: str, retry_after: float | None) -> RpcError:
    """Return the exception for an HTTP status that is not 200."""
    said = " ".join(text.split())[:300]
    reason = f"the node answers with HTTP {status}" + (f": {said}" if said else "")
    if status == 413:
        return RangeError(reason)
    if status == 429:
        return UnavailableError(reason, retry_after)
    kind = _kind(text)
    if kind is None:
        lasting = 400 <= status < 500 and status not in (408, 425)
        kind = RpcError if lasting else UnavailableError
    return UnavailableError(reason, retry_after) if kind is UnavailableError else kind(reason)


def _kind(message: str) -> type[RpcError] | None:
    """Return what the words say; None: nothing known."""
    for words, kind in (
        (_FINAL, RpcError),
        (_RATE, UnavailableError),
        (_BEYOND, UnavailableError),
        (_RANGE, RangeError),
        (_BUSY, UnavailableError),
    ):
        if words.search(message):
            return kind
    return None
