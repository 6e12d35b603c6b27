"""Evidence for a Replay: a model opened up to its id, and the input of one inference.

Source: `ReplayEvidence` in contracts/replay/IReplay.sol.
"""

from eth_abi.abi import encode

from tallystick.protocol.hexes import checksummed
from tallystick.protocol.rules import model_id
from tallystick.replay.errors import ModelError
from tallystick.replay.model import SPEC_ID, Model

_TYPE = "(bytes32,address,bytes32,bytes,bytes,bytes)"


def evidence(
    model: Model, network_id: bytes, registrant: bytes, parent: bytes, data: bytes
) -> bytes:
    """Return abi.encode(ReplayEvidence), for disprove and resolve.

    Args:
        model: whose content hash was registered.
        network_id: of the model, 32 bytes.
        registrant: who registered it, 20 bytes.
        parent: the model it is a new version of, or zero, 32 bytes.
        data: the canonical input bytes.
    """
    steps = b"".join(step.pack_short() for step in model.steps)
    opened = (network_id, checksummed(registrant), parent, steps, model.rows, data)
    return encode([_TYPE], [opened])


def check_model(
    model: Model, network_id: bytes, registrant: bytes, parent: bytes, needed: bytes
) -> None:
    """Raise ModelError unless this model, so registered, has the id that a leaf names."""
    found = model_id(network_id, registrant, model.content_hash(), SPEC_ID, parent)
    if found != needed:
        raise ModelError("model", f"its id is 0x{found.hex()}; needed: 0x{needed.hex()}")
