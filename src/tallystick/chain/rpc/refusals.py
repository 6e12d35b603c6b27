"""Meanings of nodes' refusals, in the words and the shapes that providers use.

The JSON-RPC code does not tell: -32005 is Infura's for too many results and for too many requests.
"""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from tallystick.chain.rpc.errors import (
    BehindError,
    BusyError,
    DeniedError,
    PrunedError,
    RangeError,
    RevertedError,
    RpcError,
    UnavailableError,
)
from tallystick.chain.rpc.url import place_of

_REVERT = re.compile(r"\brevert(ed)?\b", re.IGNORECASE)
_RATE = re.compile(
    r"too many requests?\b|rate.?limit|request (limit|count|rate)|requests? per|throughput"
    r"|compute units|capacity|quota|credits|(credit|daily|monthly|hourly) limit|back ?off"
    r"|slow down|throttl|-32097",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"api.?key|(invalid|unknown|missing|wrong) (project|key|token|credential|secret)"
    r"|(project|key|token|account|app|subscription|plan) .*\b(disabled|invalid|expired|suspended"
    r"|revoked|deactivated|inactive|not (found|valid|active))"
    r"|authenticat|unauthori[sz]ed|not authori[sz]ed|forbidden|permission|access denied"
    r"|not (allowed|permitted|whitelisted|allowlisted)"
    r"|method .*(not (exist|found|supported|available|enabled|allowed)|unsupported|disabled)"
    r"|(unsupported|unknown|no such) method",
    re.IGNORECASE,
)
_PRUNED = re.compile(
    r"missing trie node|state (is )?(not available|unavailable|pruned|missing)"
    r"|state .*(not available|unavailable|pruned)|\bpruned\b"
    r"|(historical|archive) (state|data|node|request)|\bhistor(y|ies)\b .*\b(not|haven't)\b"
    r"|(first|earliest|oldest) available block"
    r"|distance to target block exceeds|required historical|old data not available",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"after last accepted|unfinalized"
    r"|(beyond|ahead of|past|above|exceeds?|higher than|greater than) (the )?"
    r"((current|latest|last|best|chain) (known )?(block|head|height|tip)|head)"
    r"|header (for hash )?not found|unknown (block|header)|block ?out ?of ?range|block height is"
    r"|\bblocks?\b(?! range).*(not (be )?found|does not exist|not (yet )?(available|mined|known))"
    r"|(in the|future) (future|block)|future block|still syncing|is syncing|not (fully )?synced",
    re.IGNORECASE,
)
_HEIGHTS = re.compile(r"block height is (\d+) but requested was (\d+)")
_RANGE = re.compile(
    r"more than \d[\d,]* (results|logs)|too many (results|logs|blocks|events)|block range"
    r"|range (is )?too|response (size|body|is) .*(exceed|large|big)|response (is )?too (big|large)"
    r"|size (limit )?exceed"
    r"|exceeds? .*(limit|max|range|results|logs)|max(imum)? .*(range|results|blocks|logs)"
    r"|(query|request) (timeout|timed out|exceeds)|gateway time-?out"
    r"|limited to|up to a \d+ block|too (large|wide|big)"
    r"|ranges over \d|bigger than|^limit exceeded$|range limit|limit the (query|request|range)"
    r"|content (length|size)|result (set )?(is )?too|payload too",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"time(d)? ?out|timeout|internal|unavailable|overload|busy|try again|retry|temporar"
    r"|not available|no backends|bad gateway|connection|upstream",
    re.IGNORECASE,
)
_PASSING_CODES = {-32603, -32000, -32001, -32002}
_NO_SUCH_METHOD, _REVERTED = -32601, 3
_PASSING_STATUS = {408, 421, 425, 499}
_DENIED_STATUS = {401, 402, 403, 407}
_SHOWN = 300
"""Characters of a node's words that are shown."""


def refusal(code: Any, message: Any, data: Any = None) -> RpcError:
    """Return the exception for a JSON-RPC error.

    Args:
        code: a number, as a rule; some nodes write it as text, or leave it out.
        message: text; where it is null, the reason is in the data.
        data: of any type.

    >>> type(refusal(-32005, "query returned more than 10000 results")).__name__
    'RangeError'
    >>> type(refusal(-32005, "daily request count exceeded, request rate limited")).__name__
    'BusyError'
    >>> type(refusal(-32601, "the method eth_getLogs does not exist")).__name__
    'DeniedError'
    """
    # Tenderly's message is "invalid params"; the reason is in the data.
    parts = [_plain(part) for part in (message, data) if part not in (None, "")]
    said = ": ".join(parts) or "it gives no reason"
    number = _number(code)
    text = f"the node refuses: {said}" + ("" if code is None else f" (code {code})")
    if number == _REVERTED or _REVERT.search(said):
        return RevertedError(text)
    if number == _NO_SUCH_METHOD:
        return DeniedError(text)
    if number == 429:
        return BusyError(text)
    return (_kind(said) or (UnavailableError if number in _PASSING_CODES else RpcError))(text)


def answer_refusal(answer: Any) -> RpcError | None:
    """Return the exception for a decoded JSON-RPC answer; None where it holds a result.

    An error may be an object, as the standard has it, or text; a gateway says what is wrong in an
    object of its own with HTTP 200. A result of null is a result.

    >>> print(answer_refusal({"message": "this key is disabled"}))
    the node refuses: this key is disabled
    """
    if not isinstance(answer, Mapping):
        return UnavailableError(f"the node answers with something else: {_plain(answer)!r}")
    error = answer.get("error")
    if error is None and "result" in answer:
        return None
    if error is None:
        error = {key: value for key, value in answer.items() if key not in ("jsonrpc", "id")}
        if not error:
            return UnavailableError("the node answers with neither a result nor an error")
    if not isinstance(error, Mapping):
        return refusal(answer.get("code"), error, answer.get("message"))
    known = {"code", "message", "data"}
    message, data = error.get("message"), error.get("data")
    if message in (None, "") and data in (None, ""):
        message = error.get("error") or {key: error[key] for key in error if key not in known}
    return refusal(error.get("code"), message or None, data)


def http_refusal(
    status: int, text: str, retry_after: float | None = None, location: str | None = None
) -> RpcError:
    """Return the exception for an HTTP status that is not 200.

    Args:
        status: HTTP's.
        text: the body.
        retry_after: seconds that the node asks to be left alone, see seconds_to_wait.
        location: where a redirect leads.
    """
    if 300 <= status < 400:
        leads = f" to {place_of(location)}" if location else ""
        return DeniedError(
            f"the node answers with HTTP {status}: a redirect{leads}; needed: the URL it leads to"
        )
    said = " ".join(text.split())[:_SHOWN]
    reason = f"the node answers with HTTP {status}" + (f": {said}" if said else "")
    if status == 413:
        return RangeError(reason)
    if status == 429:
        return BusyError(reason, retry_after)
    kind = _kind(text)
    if status in _DENIED_STATUS and kind not in (BusyError, RangeError):
        kind = DeniedError
    if kind is None:
        lasting = 400 <= status < 500 and status not in _PASSING_STATUS
        kind = RpcError if lasting else UnavailableError
    return kind(reason, retry_after) if issubclass(kind, UnavailableError) else kind(reason)


def seconds_to_wait(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header names: whole, as a fraction, or by a date.

    >>> seconds_to_wait("1.5")
    1.5
    >>> seconds_to_wait("soon") is None
    True
    """
    text = (header or "").strip()
    if number := re.fullmatch(r"\+?(\d{1,9}(?:\.\d*)?|\.\d+) ?s?", text):
        return float(number[1])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _kind(message: str) -> type[RpcError] | None:
    """Return what the words say; None: nothing known."""
    heights = _HEIGHTS.search(message)
    if heights and int(heights[2]) <= int(heights[1]):
        return PrunedError
    for words, kind in (
        (_RATE, BusyError),
        (_DENIED, DeniedError),
        (_BEHIND, BehindError),
        (_PRUNED, PrunedError),
        (_RANGE, RangeError),
        (_PASSING, UnavailableError),
    ):
        if words.search(message):
            return kind
    return None


def _number(code: Any) -> int | None:
    try:
        return int(code)
    except (TypeError, ValueError, OverflowError):
        return None


def _plain(value: Any) -> str:
    """Return what a node says as one short line."""
    return " ".join(str(value).split())[:_SHOWN]
