"""What nodes mean when they refuse eth_getLogs, in the words of the providers there are.

The JSON-RPC code does not tell: -32005 is Infura's for too many results and for too many requests.
"""

import re

from tallystick.extract.errors import RangeError, RpcError, UnavailableError

_RATE = re.compile(
    r"too many requests|rate.?limit|request (count|rate)|requests? per|throughput|compute units"
    r"|capacity|quota|credits|back ?off|slow down|-32097",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"more than \d[\d,]* (results|logs)|too many (results|logs|blocks)|block range|range (is )?too"
    r"|response (size|body|is) .*(exceed|large|big)|response (is )?too (big|large)"
    r"|size (limit )?exceed"
    r"|exceeds? .*(limit|max|range|results|logs)|max(imum)? .*(range|results|blocks|logs)"
    r"|query (timeout|timed out|exceeds)|limited to|up to a \d+ block|too (large|wide|big)"
    r"|content (length|size)|result (set )?(is )?too|payload too",
    re.IGNORECASE,
)
_BUSY = re.compile(
    r"time(d)? ?out|timeout|internal|unavailable|overload|busy|try again|retry|temporar"
    r"|not available|header not found|unknown block|missing trie node"
    r"|after last accepted|beyond (current )?head"
    r"|bad gateway|connection|upstream",
    re.IGNORECASE,
)
_BUSY_CODES = {-32603, -32000, -32001, -32002}


def refusal(code: int, message: str) -> RpcError:
    """Return the exception for a JSON-RPC error.

    >>> type(refusal(-32005, "query returned more than 10000 results")).__name__
    'RangeError'
    >>> type(refusal(-32005, "daily request count exceeded, request rate limited")).__name__
    'UnavailableError'
    >>> type(refusal(-32601, "the method eth_getLogs does not exist")).__name__
    'RpcError'
    """
    text = f"the node refuses: {message} (code {code})"
    if _RATE.search(message):
        return UnavailableError(text)
    if _RANGE.search(message):
        return RangeError(text)
    if _BUSY.search(message) or code in _BUSY_CODES:
        return UnavailableError(text)
    return RpcError(text)


def http_refusal(status: int, text: str, retry_after: float | None) -> RpcError:
    """Return the exception for an HTTP status that is not 200."""
    said = " ".join(text.split())[:200]
    reason = f"the node answers with HTTP {status}" + (f": {said}" if said else "")
    if status == 413 or (status in (400, 422, 500, 503) and _RANGE.search(text)):
        return RangeError(reason)
    if status in (401, 403) or (400 <= status < 500 and status not in (408, 425, 429)):
        return RpcError(reason)
    return UnavailableError(reason, retry_after)
