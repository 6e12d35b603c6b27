"""The time of a block mined now, and the state that such a block would find."""

from web3 import Web3
from web3.exceptions import Web3Exception


def pending_time(w3: Web3) -> int:
    """Return the time of a block mined now, in Unix seconds.

    It is the pending block's; the latest one's where a node knows no pending block.
    """
    try:
        return int(w3.eth.get_block("pending")["timestamp"])
    except Web3Exception:
        return int(w3.eth.get_block("latest")["timestamp"])
