"""Items of other networks' enclaves: claimed for one batch each, for good."""

from tallystick.chain.call import encode_call
from tallystick.chain.registry import Registry
from tallystick.chain.sender import Sender
from tallystick.chain.view import read_view
from tallystick.protocol.abi_words import ZERO32


def claim_item(
    registry: Registry, sender: Sender, source: str, resolver: bytes, item: bytes, batch_id: bytes
) -> bytes:
    """Claim an item of the sender's for a batch, unless it is claimed; return for which it is.

    Args:
        registry: of the chain.
        sender: the operator.
        source: the resolver's contract, EnclaveHttp or OpenGradientItem.
        resolver: its address, 20 bytes.
        item: 32 bytes, as the resolver reckons it.
        batch_id: 32 bytes; the batch may be yet to be committed.
    """
    claimed: bytes = read_view(registry.w3, source, resolver, "claimOf", sender.address, item)
    if claimed != ZERO32:
        return claimed
    sender.send(encode_call(source, resolver, "claim", item, batch_id))
    return batch_id
