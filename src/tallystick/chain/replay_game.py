"""A replay game: the arbiter that settles an answer by one output element."""

from enum import IntEnum
from typing import Any, NamedTuple

from eth_abi.exceptions import DecodingError
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.contract_events import contract_events
from tallystick.chain.view import read_view
from tallystick.errors import ContractError, NoContractError
from tallystick.protocol.batch import Dispute
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256

RULING_WINDOWS = 5
"""A network's ruling window must be at least so many response windows."""


def game_core(w3: Web3, address: bytes) -> bytes | None:
    """Return the registry that a replay game plays for; None where there is another contract.

    Args:
        w3: connected.
        address: 20 bytes, of any account.

    Raises:
        ConnectionError: the node cannot be reached.
    """
    try:
        # No other contract of the project has it.
        read_view(w3, "ReplayGame", address, "gameOf", bytes(32))
        return from_hex(str(read_view(w3, "ReplayGame", address, "CORE")), 20)
    except (ContractError, DecodingError, NoContractError, Web3Exception):
        return None


class GamePhase(IntEnum):
    """A game's phases, as the contract numbers them."""

    NONE = 0
    """Not opened, or over."""
    OPENED = 1
    """The operator has to answer."""
    ANSWERED = 2
    """The challenger has to choose, or to prove the input's or the output's."""
    CHOSEN = 3
    """The operator has to show."""
    SHOWN = 4
    """The challenger has to prove."""


class GameState(NamedTuple):
    """A game as the contract keeps it."""

    phase: GamePhase
    due: int
    """Unix seconds; the last second of whose move it is."""
    response_window: int
    tensor: int
    """The first whose root differs, or tallystick.replay.game.NONE."""
    size: int
    """Bytes of it."""
    chunk: int
    """Of it; the one chosen."""
    program: bytes
    hash: bytes


def case_id(batch_id: bytes, dispute: Dispute) -> bytes:
    """Return keccak256(abi.encode(batchId, dispute)), 32 bytes: a challenge's game."""
    return keccak256(batch_id + dispute.encode())


def read_game(w3: Web3, address: bytes, case: bytes) -> GameState:
    """Return a game as it stands; one that was never opened has no phase.

    Args:
        w3: connected.
        address: of the contract, 20 bytes.
        case: see case_id.
    """
    phase, *rest = read_view(w3, "ReplayGame", address, "gameOf", case)
    return GameState(GamePhase(phase), *rest)


def told_by(w3: Web3, address: bytes, name: str, case: bytes, first_block: int) -> Any | None:
    """Return the arguments of a game's event by name, the last one's; None: there is none.

    Args:
        w3: connected.
        address: of the contract, 20 bytes.
        name: of the event, such as GameOpened.
        case: see case_id.
        first_block: no later than the challenge's.
    """
    found = contract_events(w3, "ReplayGame", address, name, ([to_hex(case)],), first_block)
    return next(reversed(list(found)), None)
