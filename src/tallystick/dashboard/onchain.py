"""What the chain itself says of a batch, beside what its events say."""

import threading
from collections.abc import Sequence
from typing import Any

from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception

from tallystick.batch import NO_DISPUTE, Batch, Dispute, PreImage, Stamp
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.dashboard.events import Row
from tallystick.enums import DisputeKind, State
from tallystick.errors import PreImageError, TallystickError
from tallystick.hexes import from_hex

TIMEOUT = 10.0
"""Seconds for an answer of a node."""
_OPENINGS = {"BatchChallenged": DisputeKind.CHALLENGE, "BatchDemanded": DisputeKind.DEMAND}
_ENDINGS = {"ChallengeUpheld", "ChallengeLapsed", "LeafRevealed", "BatchRejected"}


class NoNodeError(TallystickError, RuntimeError):
    """No node of the chain answers."""


class OnChain:
    """Nodes to ask.

    Args:
        urls: JSON-RPC over HTTP, one or more for each chain.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._nodes = [Web3(HTTPProvider(url, request_kwargs={"timeout": TIMEOUT})) for url in urls]
        self._of_chain: dict[int, Web3] = {}
        self._lock = threading.Lock()

    def status(self, batch: Row) -> dict[str, Any]:
        """Return the state of a batch at the latest block, as its slot or its archive has it.

        Args:
            batch: as Batches.find returns it.

        Raises:
            NoNodeError: no node of its chain is known, or it does not answer.
        """
        try:
            w3 = self._node(batch["chain_id"])
            return _status(Registry(w3, from_hex(batch["core"])), _pre_image(batch))
        except (Web3Exception, ContractError, OSError, ValueError) as error:
            if isinstance(error, NoNodeError):
                raise
            raise NoNodeError(f"a node of chain {batch['chain_id']} failed") from error

    def _node(self, chain_id: int) -> Web3:
        with self._lock:
            for node in self._nodes:
                if chain_id not in self._of_chain:
                    self._of_chain.setdefault(node.eth.chain_id, node)
        if chain_id not in self._of_chain:
            raise NoNodeError(f"no node of chain {chain_id} is known; serve with --rpc")
        return self._of_chain[chain_id]


def _status(registry: Registry, held: PreImage) -> dict[str, Any]:
    batch, block = held.batch, registry.w3.eth.block_number
    word = registry.word(batch.network_id, batch.operator, held.stamp.slot, block)
    try:
        found = held.read(word)
        state, outcome, source = found.state, found.outcome.name.lower(), "slot"
        lapsed, cause = found.lapsed, "none"
    except PreImageError:
        archived = registry.archived(batch.id(), block)
        source = "none" if archived.state is State.UNKNOWN else "archive"
        state, lapsed = archived.state, archived.lapsed
        cause = archived.cause.name.lower()
        outcome = "unresolved" if lapsed else archived.grade.name.lower()
    return {
        "block": block,
        "state": state.name.lower(),
        "source": source,
        "outcome": None if state in (State.UNKNOWN, State.REJECTED) else outcome,
        "lapsed": lapsed,
        "cause": None if cause == "none" else cause,
    }


def _pre_image(row: Row) -> PreImage:
    batch = Batch(
        from_hex(row["network_id"]),
        from_hex(row["operator"]),
        row["index"],
        from_hex(row["model_id"]),
        from_hex(row["root"]),
        row["count"],
        int(row["by"]),
    )
    stamp = Stamp(
        row["slot"], row["count"], row["committed_at"], row["committed_block"], row["closes_at"]
    )
    dispute = NO_DISPUTE
    for step in row["history"]:
        if step["event"] in _OPENINGS:
            dispute = _dispute(step)
        elif step["event"] in _ENDINGS and step["event"] != "BatchRejected":
            dispute = NO_DISPUTE
    return PreImage(batch, stamp, dispute)


def _dispute(step: Row) -> Dispute:
    kind = _OPENINGS[step["event"]]
    challenged = kind is DisputeKind.CHALLENGE
    return Dispute(
        kind,
        bool(step.get("with_bytes")),
        from_hex(step["challenger" if challenged else "demander"]),
        step["leaf_index"],
        step["due"],
        from_hex(step["leaf"]) if challenged else bytes(32),
    )
