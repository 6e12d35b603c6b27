"""Meanings of nodes' refusals of eth_sendRawTransaction, in the words that nodes use."""

import re
from enum import Enum


class SendRefusal(Enum):
    """A refusal's meaning; the value is the pattern of its words."""

    KNOWN = (
        r"already (known|imported|exists|in |pending)|known transaction|alreadyknown"
        r"|already_exists|duplicate (transaction|tx)|same hash was already"
        r"|transaction.* already (been )?(sent|added)"
    )
    """The node has this very transaction."""
    NONCE_USED = (
        r"nonce (is )?too (low|small|old)|old ?nonce|nonce.*already (been )?used|nonce_expired"
        r"|nonce has already|(invalid|incorrect|wrong) (transaction )?nonce|nonce mismatch"
        r"|account nonce .* is (greater|higher)"
    )
    """A block holds one with its nonce, which may be this very one."""
    OUTBID = (
        r"replacement|underpriced to replace|fee ?too ?low ?to ?compete|too low to replace"
        r"|could not replace|same nonce"
    )
    """The pool holds another one with its nonce, whose fee it does not exceed by enough."""
    TOO_CHEAP = (
        r"underpriced|fee ?(is )?too ?low|less than (the )?block base fee|below (the )?(base|min)"
        r"|gas ?price (is )?too low|maxfeepergas|max fee per gas|tip (is )?too low"
    )
    """Its fee is below what the node takes now."""


def send_refusal(message: str) -> SendRefusal | None:
    """Return what a node's refusal of a transaction means; None: something else.

    >>> send_refusal("already known").name
    'KNOWN'
    >>> send_refusal("replacement transaction underpriced").name
    'OUTBID'
    >>> send_refusal("insufficient funds for gas * price + value") is None
    True
    """
    return next((one for one in SendRefusal if re.search(one.value, message, re.I)), None)
