"""Evidence for a Replay or a replay game: a model opened up to its id, and one inference's input.

Source: `ReplayEvidence` in contracts/replay/IReplay.sol, `GameDisproof` in IReplayGame.sol.
"""

from eth_abi.abi import encode

from tallystick.protocol.hexes import checksummed
from tallystick.protocol.rules import model_id
from tallystick.replay.errors import ModelError
from tallystick.replay.game import GAME_SPEC_ID, game_content_hash, rows_tree
from tallystick.replay.model import SPEC_ID, Model

_TYPE = "(bytes32,address,bytes32,bytes,bytes,bytes)"
_DISPROOF = "(bytes32,(address,bytes32,(bytes,bytes32)),bytes)"


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


def game_disproof(
    model: Model, network_id: bytes, registrant: bytes, parent: bytes, data: bytes
) -> bytes:
    """Return abi.encode(GameDisproof), for a leaf that is wrong without a game.

    That is one without a traceRoot, or whose input has another length than the model's.

    Args:
        model: whose content hash under QI8-1T was registered.
        network_id: of the model, 32 bytes.
        registrant: who registered it, 20 bytes.
        parent: the model it is a new version of, or zero, 32 bytes.
        data: the canonical input bytes.
    """
    steps = b"".join(step.pack_short() for step in model.steps)
    opened = (checksummed(registrant), parent, (steps, rows_tree(model).root))
    return encode([_DISPROOF], [(network_id, opened, data)])


def check_model(
    model: Model,
    network_id: bytes,
    registrant: bytes,
    parent: bytes,
    needed: bytes,
    spec_hash: bytes = SPEC_ID,
) -> None:
    """Raise ModelError unless this model, so registered, has the id that a leaf names."""
    content = game_content_hash(model) if spec_hash == GAME_SPEC_ID else model.content_hash()
    spec = GAME_SPEC_ID if spec_hash == GAME_SPEC_ID else SPEC_ID
    found = model_id(network_id, registrant, content, spec, parent)
    if found != needed:
        raise ModelError("model", f"its id is 0x{found.hex()}; needed: 0x{needed.hex()}")
